// The account of what this process allocates, a limit to it, and what happens where memory runs out.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// Bytes in blocks of a kilobyte or more that are allocated now, by this program and its libraries.
int64_t memory_allocated(void);

/// Bytes in blocks of any size that are allocated now, and bytes that were freed and are kept for later; slower.
struct memory_blocks {
  int64_t allocated, kept;
};
struct memory_blocks memory_blocks(void);

/// Bytes that may be allocated in all from now on, and bytes of address space (`RLIMIT_AS`; -1 for no limit). Of both,
/// `reserve` bytes are kept back until an allocation fails.
///
/// An allocation counts when it is made, not when it is written, so two computations are never promised the same memory.
void memory_set_limits(int64_t allocated, int64_t address_space, int64_t reserve);

/// Whether a block of `size` bytes would be allocated now without the reserve; where not, that is a shortage.
bool memory_serves(size_t size);

/// How often an allocation or a thread had to take from the reserve, or found none, since the process began.
uint64_t memory_shortage_count(void);

/// What happens where an allocation does not fit: `measure` sets limits anew, because others may have given memory back
/// since; `end` ends the process where not even the reserve suffices, may allocate nothing and does not come back.
/// Until they are set, an allocation that fails returns NULL as everywhere.
void memory_on_exhaustion(void (*measure)(void), void (*end)(void));

/// The number in a file of the system's: of the line that begins with `name`, or of the first line where that is NULL; -1
/// where there is none. It allocates nothing, so that it can be asked where memory has run out.
int64_t memory_number_in(const char *path, const char *name);

/// Zeroed pages, `length` bytes of them, which count as allocated; NULL where there are none.
void *memory_map(size_t length);

/// Gives them back.
void memory_unmap(void *memory, size_t length);

/// Gives pages that were freed and are kept for later back to the machine.
void memory_trim(void);
