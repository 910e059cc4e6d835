/*
 * A library for LD_PRELOAD. execve(2) starts a program for arm64 by qemu, which is what binfmt_misc would do on a machine
 * that is configured for it, and uname(2) names arm64 as the machine. Unlike binfmt_misc it needs no privilege and
 * affects only the processes that load it. Programs that qemu runs do not load it.
 *
 * The compiler's command line defines QEMU, the path of qemu-aarch64-static, and LIBRARIES, the folder that holds the
 * C library for arm64.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

static int is_arm64(const char *path) {
  Elf64_Ehdr header;
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  ssize_t length = read(fd, &header, sizeof header);
  close(fd);
  return length == sizeof header && memcmp(header.e_ident, ELFMAG, SELFMAG) == 0 && header.e_machine == EM_AARCH64;
}

int execve(const char *path, char *const words[], char *const environment[]) {
  static int (*next)(const char *, char *const[], char *const[]);
  if (next == NULL) next = dlsym(RTLD_NEXT, "execve");
  if (!is_arm64(path)) return next(path, words, environment);
  char *first[] = { QEMU, "-L", LIBRARIES, "-U", "LD_PRELOAD", "-0", words[0], (char *)path };
  size_t count = 0;
  while (words[count] != NULL) count++;
  char **all = malloc(sizeof first + count * sizeof *all);
  if (all == NULL) return -1;
  memcpy(all, first, sizeof first);
  /* The arguments, and the NULL after the last one. */
  memcpy(all + sizeof first / sizeof *first, words + 1, count * sizeof *all);
  return next(QEMU, all, environment);
}

int uname(struct utsname *names) {
  static int (*next)(struct utsname *);
  if (next == NULL) next = dlsym(RTLD_NEXT, "uname");
  int result = next(names);
  if (result == 0) strcpy(names->machine, "aarch64");
  return result;
}
