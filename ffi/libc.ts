/**
 * Functions of the C library that every command may call; `packet_libc.ts` has those of the data path and the daemon.
 * Nothing checks a declaration against C, so each symbol stands behind its prototype and has a test of its own.
 *
 * Lengths of C type `size_t` are `usize` and passed as bigint: a number would leave the fast call path.
 *
 * @module
 */

const SYMBOLS = {
  // int *__errno_location(void)
  __errno_location: { parameters: [], result: "pointer" },
  // int close(int fd)
  close: { parameters: ["i32"], result: "i32" },
  // int socket(int domain, int type, int protocol)
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  // int bind(int fd, const struct sockaddr *addr, socklen_t len)
  bind: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  // int getsockname(int fd, struct sockaddr *addr, socklen_t *len)
  getsockname: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  // int setsockopt(int fd, int level, int name, const void *value, socklen_t len)
  setsockopt: { parameters: ["i32", "i32", "i32", "buffer", "u32"], result: "i32" },
  // ssize_t sendmsg(int fd, const struct msghdr *msg, int flags)
  sendmsg: { parameters: ["i32", "pointer", "i32"], result: "isize" },
  // ssize_t recvmsg(int fd, struct msghdr *msg, int flags)
  recvmsg: { parameters: ["i32", "pointer", "i32"], result: "isize" },
  // int open(const char *path, int flags, ...)
  open: { parameters: ["buffer", "i32"], result: "i32" },
  // int connect(int fd, const struct sockaddr *addr, socklen_t len)
  connect: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  // int getpeername(int fd, struct sockaddr *addr, socklen_t *len)
  getpeername: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  // int getsockopt(int fd, int level, int name, void *value, socklen_t *len)
  getsockopt: { parameters: ["i32", "i32", "i32", "buffer", "buffer"], result: "i32" },
  // int ioctl(int fd, unsigned long request, void *argument)
  ioctl: { parameters: ["i32", "usize", "buffer"], result: "i32" },
  // int ioctl(int fd, unsigned long request, unsigned long argument)
  ioctl_value: { name: "ioctl", parameters: ["i32", "usize", "usize"], result: "i32" },
  // int poll(struct pollfd *fds, nfds_t count, int timeout); on another thread, so its errno is not accessible
  poll: { parameters: ["buffer", "usize", "i32"], result: "i32", nonblocking: true },
  // ssize_t sendmsg(int fd, const struct msghdr *msg, int flags); on another thread, so its errno is not accessible
  sendmsg_background: {
    name: "sendmsg",
    parameters: ["i32", "pointer", "i32"],
    result: "isize",
    nonblocking: true,
  },
  // int eventfd(unsigned int initval, int flags)
  eventfd: { parameters: ["u32", "i32"], result: "i32" },
  // ssize_t read(int fd, void *buffer, size_t count)
  read: { parameters: ["i32", "buffer", "usize"], result: "isize" },
  // ssize_t write(int fd, const void *buffer, size_t count)
  write: { parameters: ["i32", "buffer", "usize"], result: "isize" },
  // int fcntl(int fd, int command, int argument)
  fcntl: { parameters: ["i32", "i32", "i32"], result: "i32" },
  // int setns(int fd, int nstype)
  setns: { parameters: ["i32", "i32"], result: "i32" },
  // unsigned int if_nametoindex(const char *name)
  if_nametoindex: { parameters: ["buffer"], result: "u32" },
  // int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **res)
  getaddrinfo: { parameters: ["buffer", "pointer", "buffer", "buffer"], result: "i32" },
  // int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **res); on
  // another thread, so its errno is not accessible
  getaddrinfo_background: {
    name: "getaddrinfo",
    parameters: ["buffer", "pointer", "buffer", "buffer"],
    result: "i32",
    nonblocking: true,
  },
  // void freeaddrinfo(struct addrinfo *res)
  freeaddrinfo: { parameters: ["pointer"], result: "void" },
  // const char *gai_strerror(int code)
  gai_strerror: { parameters: ["i32"], result: "pointer" },
  // int clock_getres(clockid_t clock, struct timespec *resolution)
  clock_getres: { parameters: ["i32", "buffer"], result: "i32" },
} as const satisfies Deno.ForeignLibraryInterface;

/** Soname of glibc on x86-64 and arm64. */
const LIBC = "libc.so.6";

/**
 * Symbols that every command needs, bound together at the first use of any: binding one by one would cost more. The
 * errno's address is among them, because binding it later would change the errno.
 */
const EAGER_SYMBOLS: readonly string[] = [
  "__errno_location",
  "close",
  "socket",
  "setsockopt",
  "sendmsg",
  "recvmsg",
];

/**
 * The functions of the C library. Each is bound at its first use: binding takes longer than most commands spend in
 * calls.
 */
export const libc: Deno.StaticForeignLibraryInterface<typeof SYMBOLS> = bindLazily(SYMBOLS);

/**
 * Binds a function when its member is first read. Bound functions are members of the object; its prototype, a proxy,
 * binds missing ones. A getter per function would take longer to create than most programs spend in the functions.
 */
function bindLazily<const S extends Deno.ForeignLibraryInterface>(
  definitions: S,
): Deno.StaticForeignLibraryInterface<S> {
  const bind = (names: readonly string[]): void => {
    const chosen: Record<string, Deno.ForeignFunction> = {};
    for (const name of names) chosen[name] = definitions[name] as Deno.ForeignFunction;
    Object.assign(symbols, Deno.dlopen(LIBC, chosen).symbols);
  };
  const unbound = new Proxy({}, {
    get(_target, name): unknown {
      if (typeof name !== "string" || !(name in definitions)) return undefined;
      if (EAGER_SYMBOLS.includes(name)) bind(EAGER_SYMBOLS);
      else {
        void symbols["__errno_location"];
        bind([name]);
      }
      return symbols[name];
    },
  });
  const symbols = Object.create(unbound) as Record<string, unknown>;
  return symbols as Deno.StaticForeignLibraryInterface<S>;
}

/** Binds all functions at once, for tests that look for leaked resources. */
export function bindLibc(): void {
  for (const name in SYMBOLS) void libc[name as keyof typeof SYMBOLS];
}
