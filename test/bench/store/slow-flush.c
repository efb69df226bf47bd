/* Preloaded into a server (ld.so(8)): each flush takes FLUSH_DELAY_US longer, as on a slower disk. Writes through O_DSYNC are flushes, too. */
extern void *dlsym(void *handle, const char *name);
extern char *getenv(const char *name);
extern int atoi(const char *text);
extern int usleep(unsigned microseconds);
extern int fcntl(int fd, int command, ...);

#define NEXT(name) dlsym((void *)-1L, name) /* RTLD_NEXT */
enum { getFlags = 3, dataSync = 010000 };   /* F_GETFL, O_DSYNC */

static void delay(void) {
  const char *text = getenv("FLUSH_DELAY_US");
  if (text) usleep(atoi(text));
}

static void delay_if_synced(int fd) {
  if (fcntl(fd, getFlags) & dataSync) delay();
}

int fsync(int fd) { delay(); return ((int (*)(int))NEXT("fsync"))(fd); }
int fdatasync(int fd) { delay(); return ((int (*)(int))NEXT("fdatasync"))(fd); }
int msync(void *at, unsigned long length, int flags) { delay(); return ((int (*)(void *, unsigned long, int))NEXT("msync"))(at, length, flags); }
long pwrite(int fd, const void *bytes, unsigned long count, long at) {
  delay_if_synced(fd);
  return ((long (*)(int, const void *, unsigned long, long))NEXT("pwrite"))(fd, bytes, count, at);
}
long pwrite64(int fd, const void *bytes, unsigned long count, long at) {
  delay_if_synced(fd);
  return ((long (*)(int, const void *, unsigned long, long))NEXT("pwrite64"))(fd, bytes, count, at);
}
long pwritev64(int fd, const void *parts, int count, long at) {
  delay_if_synced(fd);
  return ((long (*)(int, const void *, int, long))NEXT("pwritev64"))(fd, parts, count, at);
}
long pwritev(int fd, const void *parts, int count, long at) {
  delay_if_synced(fd);
  return ((long (*)(int, const void *, int, long))NEXT("pwritev"))(fd, parts, count, at);
}
