// Counts the allocations of this process, limits them, and handles the exhaustion of memory.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// Bytes in allocated blocks of a kilobyte or more, of this program and its libraries.
int64_t memory_allocated(void);

/// Bytes in allocated blocks of any size, and bytes in the allocator's free list; slower than memory_allocated.
struct memory_blocks {
  int64_t allocated, kept;
};
struct memory_blocks memory_blocks(void);

/// Sets the limits of allocated bytes and of address space (`RLIMIT_AS`; -1 for no limit). `reserve` bytes of both are
/// held back until an allocation fails.
///
/// An allocation counts when it is made, not when it is written, so two computations never get the same memory.
void memory_set_limits(int64_t allocated, int64_t address_space, int64_t reserve);

/// Whether a block of `size` bytes can be allocated now without the reserve. If not, the shortage is counted.
bool memory_fits(size_t size);

/// The number of allocations and threads that used the reserve, or failed, since the process began.
uint64_t memory_shortage_count(void);

/// Sets the handlers of an allocation that does not fit. `measure` updates the limits, because other processes may have
/// freed memory; `end` ends the process when not even the reserve suffices, must not allocate and does not return.
/// Until they are set, an allocation that fails returns NULL as usual.
void memory_on_exhaustion(void (*measure)(void), void (*end)(void));

/// Reads the number after `name` at the start of a line of a file, or at the start of the file for NULL; -1 for none.
/// It allocates nothing, so that it works when memory has run out.
int64_t memory_number_in(const char *path, const char *name);

/// Maps `length` bytes of zeroed pages, which count as allocated; NULL on failure.
void *memory_map(size_t length);

/// Unmaps pages of memory_map.
void memory_unmap(void *memory, size_t length);

/// Returns the allocator's free pages to the system.
void memory_trim(void);
