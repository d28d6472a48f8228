/* Makes every fsync and fdatasync take as long as SLOW_FSYNC_MICROSECONDS says. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>

static int slowly(const char *name, int descriptor) {
    const char *pause = getenv("SLOW_FSYNC_MICROSECONDS");
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
    if (pause != NULL) usleep((useconds_t)atol(pause));
    return real(descriptor);
}

int fsync(int descriptor) { return slowly("fsync", descriptor); }
int fdatasync(int descriptor) { return slowly("fdatasync", descriptor); }
