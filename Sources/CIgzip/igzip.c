#include "igzip.h"

#if __has_include(<isa-l/igzip_lib.h>)
#include <dlfcn.h>
#include <isa-l/igzip_lib.h>
#include <pthread.h>
#include <stdlib.h>

struct igzip {
    struct inflate_state state;
    uint32_t wrapping;
};

static void (*initialise)(struct inflate_state *);
static void (*reset)(struct inflate_state *);
static int (*inflate_some)(struct inflate_state *);
static bool is_loaded;

static void load(void) {
    // The soname of the interface that the header describes.
    void *library = dlopen("libisal.so.2", RTLD_NOW | RTLD_LOCAL);
    if (!library) return;
    // POSIX allows this conversion of an object's address to a function's; ISO C has no other.
    *(void **)&initialise = dlsym(library, "isal_inflate_init");
    *(void **)&reset = dlsym(library, "isal_inflate_reset");
    *(void **)&inflate_some = dlsym(library, "isal_inflate");
    is_loaded = initialise && reset && inflate_some;
}

igzip *igzip_create(bool is_gzip) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, load);
    igzip *stream = is_loaded ? malloc(sizeof *stream) : NULL;
    if (!stream) return NULL;
    initialise(&stream->state);
    stream->wrapping = is_gzip ? ISAL_GZIP : ISAL_DEFLATE;
    stream->state.crc_flag = stream->wrapping;
    return stream;
}

void igzip_destroy(igzip *stream) { free(stream); }

void igzip_begin(igzip *stream) {
    reset(&stream->state);
    stream->state.crc_flag = stream->wrapping;
}

static enum igzip_status status_of(int code, const struct inflate_state *state) {
    switch (code) {
    case ISAL_INVALID_BLOCK: return IGZIP_INVALID_BLOCK;
    case ISAL_INVALID_SYMBOL: return IGZIP_INVALID_CODE;
    case ISAL_INVALID_LOOKBACK: return IGZIP_INVALID_DISTANCE;
    case ISAL_INVALID_WRAPPER: return IGZIP_INVALID_HEADER;
    case ISAL_UNSUPPORTED_METHOD: return IGZIP_UNKNOWN_METHOD;
    case ISAL_INCORRECT_CHECKSUM: return IGZIP_WRONG_CHECKSUM;
    default: break;
    }
    if (code < 0) return IGZIP_INVALID_BLOCK;
    return state->block_state == ISAL_BLOCK_FINISH ? IGZIP_ENDED : IGZIP_ADVANCED;
}

struct igzip_progress igzip_inflate(
    igzip *stream, const uint8_t *input, size_t input_count, uint8_t *output, size_t output_count) {
    struct inflate_state *state = &stream->state;
    // The library only reads from next_in; its type lacks const.
    state->next_in = (uint8_t *)input;
    state->avail_in = (uint32_t)input_count;
    state->next_out = output;
    state->avail_out = (uint32_t)output_count;
    int code = inflate_some(state);
    return (struct igzip_progress){
        .consumed = (ptrdiff_t)input_count - (ptrdiff_t)state->avail_in,
        .written = output_count - state->avail_out,
        .status = status_of(code, state),
    };
}

#else

igzip *igzip_create(bool is_gzip) {
    (void)is_gzip;
    return NULL;
}

void igzip_destroy(igzip *stream) { (void)stream; }

void igzip_begin(igzip *stream) { (void)stream; }

struct igzip_progress igzip_inflate(
    igzip *stream, const uint8_t *input, size_t input_count, uint8_t *output, size_t output_count) {
    (void)stream, (void)input, (void)input_count, (void)output, (void)output_count;
    return (struct igzip_progress){.status = IGZIP_UNKNOWN_METHOD};
}

#endif
