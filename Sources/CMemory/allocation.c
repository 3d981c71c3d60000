// Replacements of the C library's allocation functions, which Swift's runtime and all libraries of the process call.
// They count allocations and handle the exhaustion of memory. Without them the runtime traps when the address space is
// full, and a control group kills the process when it is full, both without a message.
//
// An executable may replace them (the C library's manual, "Replacing malloc"); these call the library's own functions.
// Memory that libraries map themselves, stacks and the buffers of a BLAS, is not counted: they write only a part of it.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "memory.h"

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);
extern void __libc_free(void *memory);

// Smaller blocks are numerous but small in total; counting them would only cost time.
enum { MINIMUM_COUNTED = 1024 };

// When less than MUCH is available, memory is measured before each block of this size: the allocator's free list may be
// too fragmented for it, and measuring costs less than writing the block.
static const int64_t MINIMUM_MEASURED = 4 << 20, MUCH = 1 << 30;

static _Atomic int64_t allocated_bytes, mapped_bytes, allowed_bytes = INT64_MAX, held_reserve;
static _Atomic int64_t whole_address_space = -1;
static _Atomic uint64_t shortage_count;
static void (*_Atomic measure_again)(void), (*_Atomic end_process)(void);
static _Thread_local bool is_measuring;

static void limit_address_space(int64_t bytes) {
  struct rlimit limit;
  if (bytes < 0 || getrlimit(RLIMIT_AS, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max < (rlim_t)bytes ? limit.rlim_max : (rlim_t)bytes;
  setrlimit(RLIMIT_AS, &limit);
}

int64_t memory_allocated(void) { return atomic_load_explicit(&allocated_bytes, memory_order_relaxed); }

struct memory_blocks memory_blocks(void) {
  const struct mallinfo2 info = mallinfo2();
  return (struct memory_blocks){
      .allocated = (int64_t)(info.uordblks + info.hblkhd) + mapped_bytes, .kept = (int64_t)info.fordblks};
}

void memory_set_limits(int64_t allocated, int64_t address_space, int64_t reserve) {
  held_reserve = reserve;
  allowed_bytes = allocated - reserve;
  whole_address_space = address_space;
  limit_address_space(address_space < reserve ? address_space : address_space - reserve);
}

uint64_t memory_shortage_count(void) { return shortage_count; }

void memory_on_exhaustion(void (*measure)(void), void (*end)(void)) {
  // Threads take 8 MB of address space otherwise, of which no computation here needs a quarter.
  pthread_attr_t attributes;
  if (pthread_getattr_default_np(&attributes) == 0) {
    pthread_attr_setstacksize(&attributes, 2 << 20);
    pthread_setattr_default_np(&attributes);
    pthread_attr_destroy(&attributes);
  }
  // Each thread reserves 64 MB for small blocks of its own, too.
  struct rlimit limit;
  if (getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY) mallopt(M_ARENA_MAX, 1);
  measure_again = measure;
  end_process = end;
}

int64_t memory_number_in(const char *path, const char *name) {
  const int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return -1;
  char text[8192];
  size_t length = 0;
  ssize_t got;
  while (length < sizeof text - 1 && (got = read(file, text + length, sizeof text - 1 - length)) > 0) length += (size_t)got;
  close(file);
  text[length] = 0;
  const size_t name_length = name == NULL ? 0 : strlen(name);
  for (const char *line = text; line != NULL && *line != 0; line = strchr(line, '\n'), line += line != NULL) {
    if (name != NULL && strncmp(line, name, name_length) != 0) continue;
    char *end;
    const long long number = strtoll(line + name_length, &end, 10);
    return end == line + name_length ? -1 : (int64_t)number;
  }
  return -1;
}

/// Whether `size` more bytes are allowed. The measurement itself may always allocate.
static bool fits(size_t size) {
  return size < MINIMUM_COUNTED || is_measuring ||
         (size <= INT64_MAX / 2 &&
          memory_allocated() + (int64_t)size <= atomic_load_explicit(&allowed_bytes, memory_order_relaxed));
}

// Attempts to make an allocation fit, in this order.
enum { MEASURE, OPEN_RESERVE, ATTEMPTS };

/// Tries to free memory for `size` bytes; another thread may have done so in the meantime.
static void make_room(size_t size, int attempt) {
  if (attempt == MEASURE) {
    void (*measure)(void) = measure_again;
    if (measure == NULL || is_measuring) return;
    is_measuring = true;
    measure();
    is_measuring = false;
    return;
  }
  shortage_count++;
  // A block larger than the reserve leaves it to the code that reports the error.
  if (size > (size_t)held_reserve) return;
  allowed_bytes += atomic_exchange(&held_reserve, 0);
  limit_address_space(whole_address_space);
}

/// Measures the limit again before a large block; true where it did.
static bool prepare(size_t size) {
  const bool is_worth_it = size >= (size_t)MINIMUM_MEASURED && allowed_bytes - memory_allocated() < MUCH;
  if (is_worth_it) make_room(size, MEASURE);
  return is_worth_it;
}

bool memory_fits(size_t size) {
  if (!prepare(size) && !fits(size)) make_room(size, MEASURE);
  if (fits(size)) return true;
  shortage_count++;
  return false;
}

/// Ends the process where a handler is set; otherwise returns the error of a failed allocation.
static void *exhausted(void) {
  void (*end)(void) = end_process;
  if (end != NULL) end();
  errno = ENOMEM;
  return NULL;
}

static void count(int64_t bytes) {
  atomic_fetch_add_explicit(&allocated_bytes, bytes, memory_order_relaxed);
}

/// The result of `allocation`, which allocates `size` bytes; it is repeated after each attempt. The caller counts it.
#define ALLOCATED(size, allocation) \
  ({ \
    prepare(size); \
    void *block = fits(size) ? (allocation) : NULL; \
    if (block == NULL && (size) != 0) { \
      for (int attempt = 0; block == NULL && attempt < ATTEMPTS; attempt++) { \
        make_room(size, attempt); \
        if (fits(size)) block = (allocation); \
      } \
      if (block == NULL) block = exhausted(); \
    } \
    block; \
  })

// AddressSanitizer, with which parsers are fuzzed, has an allocator of its own.
#if !__has_feature(address_sanitizer)

static int64_t counted(void *memory) {
  const size_t size = memory == NULL ? 0 : malloc_usable_size(memory);
  return size < MINIMUM_COUNTED ? 0 : (int64_t)size;
}

/// As `ALLOCATED`, and counts the allocation.
#define COUNTED(size, allocation) \
  ({ \
    void *block = ALLOCATED(size, allocation); \
    if ((size) >= MINIMUM_COUNTED / 2) count(counted(block)); \
    block; \
  })

void *malloc(size_t size) { return COUNTED(size, __libc_malloc(size)); }

void *calloc(size_t number, size_t size) {
  size_t bytes;
  if (__builtin_mul_overflow(number, size, &bytes)) bytes = SIZE_MAX;
  return COUNTED(bytes, __libc_calloc(number, size));
}

void *memalign(size_t alignment, size_t size) { return COUNTED(size, __libc_memalign(alignment, size)); }

void *aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }

int posix_memalign(void **memory, size_t alignment, size_t size) {
  if (alignment == 0 || alignment % sizeof(void *) != 0 || (alignment & (alignment - 1)) != 0) return EINVAL;
  const int before = errno;
  void *block = memalign(alignment, size);
  errno = before;
  if (block == NULL && size != 0) return ENOMEM;
  *memory = block;
  return 0;
}

void *realloc(void *memory, size_t size) {
  const int64_t before = counted(memory);
  // A growing block may have to be copied, but mostly it is not, so only the growth is checked.
  const size_t more = size > (size_t)before ? size - (size_t)before : 0;
  void *block = ALLOCATED(more, __libc_realloc(memory, size));
  if (block != NULL || size == 0) count(counted(block) - before);
  return block;
}

void free(void *memory) {
  const int64_t size = counted(memory);
  if (size != 0) count(-size);
  __libc_free(memory);
}

typedef int (*create_thread)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);

/// Thread stacks take address space too, and the system's library for parallel loops retries the creation for ever.
int pthread_create(
    pthread_t *thread, const pthread_attr_t *attributes, void *(*body)(void *), void *argument) {
  static _Atomic(create_thread) own;
  if (own == NULL) own = (create_thread)dlsym(RTLD_NEXT, "pthread_create");
  int result = own(thread, attributes, body, argument);
  for (int attempt = 0; result == EAGAIN && attempt < ATTEMPTS; attempt++) {
    make_room(0, attempt);
    result = own(thread, attributes, body, argument);
  }
  if (result == EAGAIN) exhausted();
  return result;
}

#endif

static void count_mapped(int64_t length) {
  count(length);
  mapped_bytes += length;
}

void *memory_map(size_t length) {
  void *memory = ALLOCATED(
      length, ({
        void *mapped = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        mapped == MAP_FAILED ? NULL : mapped;
      }));
  if (memory != NULL) count_mapped((int64_t)length);
  return memory;
}

void memory_unmap(void *memory, size_t length) {
  munmap(memory, length);
  count_mapped(-(int64_t)length);
}

void memory_trim(void) { malloc_trim(0); }
