/**
 * Names of network namespaces.
 *
 * @module
 */

const FOLDER = "/run/netns";
const OWN = "/proc/thread-self/ns/net";

/**
 * Maps the inode number of a network namespace to its name. The namespace of process 1 has the name `""`. If that one
 * cannot be read, this process's own namespace has the name `""`, unless it has a name.
 */
export class NamespaceNames {
  readonly #names = new Map<number, string>();

  /** Reads the names; `own` is a path of this process's own namespace. */
  constructor(own: string) {
    for (const name of namespaceNames().reverse()) {
      const inode = inodeOf(`${FOLDER}/${name}`);
      if (inode !== undefined) this.#names.set(inode, name);
    }
    const first = inodeOf("/proc/1/ns/net");
    const home = first ?? inodeOf(own);
    if (home !== undefined && (first !== undefined || !this.#names.has(home))) this.#names.set(home, "");
  }

  /** Name of the namespace at the path: that of `ip netns`, or as in `/proc`, `net:[INODE]`. */
  nameOf(path: string): string {
    const inode = inodeOf(path);
    return inode === undefined ? path : this.#names.get(inode) ?? `net:[${inode}]`;
  }
}

/** Names of the network namespaces of `ip netns`, sorted. */
export function namespaceNames(): string[] {
  try {
    return [...Deno.readDirSync(FOLDER)].map(({ name }) => name).sort();
  } catch {
    return [];
  }
}

/** Name of the calling thread's network namespace. */
export function currentNamespace(): string {
  return new NamespaceNames(OWN).nameOf(OWN);
}

/** Name of the calling thread's network namespace; `undefined` if `ip netns` gave it none. */
export function currentNamespaceName(): string | undefined {
  const current = inodeOf(OWN);
  return namespaceNames().find((name) => current !== undefined && inodeOf(`${FOLDER}/${name}`) === current);
}

function inodeOf(path: string): number | undefined {
  try {
    return Deno.statSync(path).ino ?? undefined;
  } catch {
    return undefined;
  }
}
