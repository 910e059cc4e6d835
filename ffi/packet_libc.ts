/**
 * Functions of the C library for local sockets, the data path and the daemon: three tables, each bound at first use,
 * once per isolate, because binding a function takes longer than most programs spend in it.
 *
 * Functions called per packet take `pointer` objects that the caller made once and `usize` as bigint constants, and
 * return `i32` although C says `ssize_t`: anything else leaves the fast call path or costs more than the call. The
 * results stay far below 2³¹, and -1 survives the truncation.
 *
 * @module
 */

import { lastErrno } from "./errno.ts";

const LOCAL_SYMBOLS = {
  // ssize_t sendmsg(int fd, const struct msghdr *msg, int flags)
  sendmsg: { parameters: ["i32", "pointer", "i32"], result: "i32" },
  // ssize_t recvmsg(int fd, struct msghdr *msg, int flags)
  recvmsg: { parameters: ["i32", "pointer", "i32"], result: "i32" },
} as const satisfies Deno.ForeignLibraryInterface;

const PACKET_SYMBOLS = {
  // ssize_t read(int fd, void *buffer, size_t count)
  read: { parameters: ["i32", "pointer", "usize"], result: "i32" },
  // ssize_t writev(int fd, const struct iovec *iov, int count)
  writev: { parameters: ["i32", "pointer", "i32"], result: "i32" },
  // int recvmmsg(int fd, struct mmsghdr *vec, unsigned int count, int flags, struct timespec *timeout)
  recvmmsg: { parameters: ["i32", "pointer", "u32", "i32", "pointer"], result: "i32" },
  // int sendmmsg(int fd, struct mmsghdr *vec, unsigned int count, int flags)
  sendmmsg: { parameters: ["i32", "pointer", "u32", "i32"], result: "i32" },
  // int epoll_create1(int flags)
  epoll_create1: { parameters: ["i32"], result: "i32" },
  // int epoll_ctl(int epfd, int op, int fd, struct epoll_event *event)
  epoll_ctl: { parameters: ["i32", "i32", "i32", "pointer"], result: "i32" },
  // int epoll_wait(int epfd, struct epoll_event *events, int count, int timeout); blocks the calling thread
  epoll_wait: { parameters: ["i32", "pointer", "i32", "i32"], result: "i32" },
  // int epoll_wait(int epfd, struct epoll_event *events, int count, int timeout); on another thread, so its errno is
  // not accessible
  epoll_wait_background: {
    name: "epoll_wait",
    parameters: ["i32", "pointer", "i32", "i32"],
    result: "i32",
    nonblocking: true,
  },
} as const satisfies Deno.ForeignLibraryInterface;

const DAEMON_SYMBOLS = {
  // int open(const char *path, int flags, mode_t mode)
  open: { parameters: ["buffer", "i32", "u32"], result: "i32" },
  // int listen(int fd, int backlog)
  listen: { parameters: ["i32", "i32"], result: "i32" },
  // int accept4(int fd, struct sockaddr *addr, socklen_t *len, int flags)
  accept4: { parameters: ["i32", "pointer", "pointer", "i32"], result: "i32" },
  // int socketpair(int domain, int type, int protocol, int fds[2])
  socketpair: { parameters: ["i32", "i32", "i32", "buffer"], result: "i32" },
  // int getsockopt(int fd, int level, int name, void *value, socklen_t *len)
  getsockopt: { parameters: ["i32", "i32", "i32", "buffer", "buffer"], result: "i32" },
  // int flock(int fd, int operation)
  flock: { parameters: ["i32", "i32"], result: "i32" },
  // int chmod(const char *path, mode_t mode)
  chmod: { parameters: ["buffer", "u32"], result: "i32" },
  // int chown(const char *path, uid_t owner, gid_t group)
  chown: { parameters: ["buffer", "u32", "u32"], result: "i32" },
  // int unlink(const char *path)
  unlink: { parameters: ["buffer"], result: "i32" },
  // struct group *getgrnam(const char *name)
  getgrnam: { parameters: ["buffer"], result: "pointer" },
  // int getrlimit(int resource, struct rlimit *limit)
  getrlimit: { parameters: ["i32", "buffer"], result: "i32" },
  // int setrlimit(int resource, const struct rlimit *limit)
  setrlimit: { parameters: ["i32", "buffer"], result: "i32" },
  // long syscall(long number, int command, union bpf_attr *attr, unsigned int size)
  syscall_bpf: { name: "syscall", parameters: ["i64", "i32", "buffer", "u32"], result: "i32" },
  // void *mmap(void *addr, size_t length, int prot, int flags, int fd, off_t offset)
  mmap: { parameters: ["pointer", "usize", "i32", "i32", "i32", "i64"], result: "pointer" },
  // int munmap(void *addr, size_t length)
  munmap: { parameters: ["pointer", "usize"], result: "i32" },
  // int malloc_trim(size_t pad)
  malloc_trim: { parameters: ["usize"], result: "i32" },
} as const satisfies Deno.ForeignLibraryInterface;

/** Soname of glibc on x86-64 and arm64. */
const LIBC = "libc.so.6";

let local: Deno.StaticForeignLibraryInterface<typeof LOCAL_SYMBOLS> | undefined;
let packet: Deno.StaticForeignLibraryInterface<typeof PACKET_SYMBOLS> | undefined;
let daemon: Deno.StaticForeignLibraryInterface<typeof DAEMON_SYMBOLS> | undefined;

/** Functions for both ends of a local socket. */
export function localLibc(): Deno.StaticForeignLibraryInterface<typeof LOCAL_SYMBOLS> {
  return local ??= bind(LOCAL_SYMBOLS);
}

/** Functions for the data path. */
export function packetLibc(): Deno.StaticForeignLibraryInterface<typeof PACKET_SYMBOLS> {
  return packet ??= bind(PACKET_SYMBOLS);
}

/** Functions for the daemon alone: devices and listeners. */
export function daemonLibc(): Deno.StaticForeignLibraryInterface<typeof DAEMON_SYMBOLS> {
  return daemon ??= bind(DAEMON_SYMBOLS);
}

function bind<const S extends Deno.ForeignLibraryInterface>(
  symbols: S,
): Deno.StaticForeignLibraryInterface<S> {
  // Finds errno's address first: a look-up after a failed call would overwrite that call's errno.
  lastErrno();
  return Deno.dlopen(LIBC, symbols).symbols;
}
