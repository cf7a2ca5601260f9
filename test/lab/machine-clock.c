/* Sets the clocks of every program that loads this: as clock_gettime(2) returns them, but ahead by the seconds in a file. */
struct moment { long seconds, parts; };
extern void *dlsym(void *, const char *);
extern int dprintf(int, const char *, ...);
extern long lseek(int, long, int);
extern int memfd_create(const char *, unsigned int);
extern int strcmp(const char *, const char *);
extern int close(int);
extern void *mmap(void *, unsigned long, int, int, int, long);

#define RTLD_NEXT ((void *) -1)
#define O_CLOEXEC 02000000
#define WALL(clock) ((clock) == 0 || (clock) == 5) /* CLOCK_REALTIME, and its coarse form */
#define BOOTTIME 7 /* continues while the machine sleeps, unlike CLOCK_MONOTONIC */

static int (*real)(int, struct moment *);
/* How far the wall clock is ahead, and how long the machine slept. Mapped once, so that it works in a chroot and under any user. */
static const volatile long *ahead;

static int really_open(const char *path, int flags, int mode)
{
    static int (*real_open)(const char *, int, ...);
    if (!real_open) real_open = (int (*)(const char *, int, ...)) dlsym(RTLD_NEXT, "open");
    return real_open(path, flags, mode);
}

__attribute__((constructor)) static void begin(void)
{
    int file = really_open(AHEAD, O_CLOEXEC, 0);
    void *mapped = file < 0 ? (void *) -1 : mmap(0, 2 * sizeof(long), 1 /* PROT_READ */, 1 /* MAP_SHARED */, file, 0);
    if (file >= 0) close(file);
    if (mapped != (void *) -1) ahead = mapped;
}

int clock_gettime(int clock, struct moment *now)
{
    if (!real) real = (int (*)(int, struct moment *)) dlsym(RTLD_NEXT, "clock_gettime");
    int failed = real(clock, now);
    if (!failed && ahead && WALL(clock)) now->seconds += ahead[0];
    if (!failed && ahead && clock == BOOTTIME) now->seconds += ahead[1];
    return failed;
}

int gettimeofday(struct moment *now, void *zone)
{
    int failed = clock_gettime(0, now);
    now->parts /= 1000;
    return failed;
}

long time(long *at)
{
    struct moment now;
    clock_gettime(0, &now);
    if (at) *at = now.seconds;
    return now.seconds;
}

/* proc(5): the time since boot, as it would be after the sleep. */
int open(const char *path, int flags, int mode)
{
    struct moment up;
    if (!ahead || !ahead[1] || strcmp(path, "/proc/uptime")) return really_open(path, flags, mode);
    int file = memfd_create("uptime", 0);
    clock_gettime(BOOTTIME, &up);
    dprintf(file, "%ld.00 0.00\n", up.seconds);
    lseek(file, 0, 0);
    return file;
}

int open64(const char *path, int flags, int mode)
{
    return open(path, flags, mode);
}
