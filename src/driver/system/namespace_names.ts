/**
 * What network namespaces are called.
 *
 * @module
 */

const FOLDER = "/run/netns";
const OWN = "/proc/thread-self/ns/net";

/**
 * The names, by inode number. The namespace of process 1 is called `""`; where that is not for us to see, this
 * process's own is, unless it has a name.
 */
export class NamespaceNames {
  readonly #names = new Map<number, string>();

  /** Reads them; `own` is a path of this process's own namespace. */
  constructor(own: string) {
    for (const name of namespaceNames().reverse()) {
      const inode = inodeOf(`${FOLDER}/${name}`);
      if (inode !== undefined) this.#names.set(inode, name);
    }
    const first = inodeOf("/proc/1/ns/net");
    const home = first ?? inodeOf(own);
    if (home !== undefined && (first !== undefined || !this.#names.has(home))) this.#names.set(home, "");
  }

  /** The name of the namespace of which this is a file: that of `ip netns`, or as `/proc` has it, `net:[INODE]`. */
  nameOf(path: string): string {
    const inode = inodeOf(path);
    return inode === undefined ? path : this.#names.get(inode) ?? `net:[${inode}]`;
  }
}

/** Names of the network namespaces that `ip netns` made, in order. */
export function namespaceNames(): string[] {
  try {
    return [...Deno.readDirSync(FOLDER)].map(({ name }) => name).sort();
  } catch {
    return [];
  }
}

/** What the calling thread's network namespace is called. */
export function presentNamespace(): string {
  return new NamespaceNames(OWN).nameOf(OWN);
}

/** The name of the calling thread's network namespace; `undefined` if `ip netns` gave it none. */
export function presentNamespaceName(): string | undefined {
  const present = inodeOf(OWN);
  return namespaceNames().find((name) => present !== undefined && inodeOf(`${FOLDER}/${name}`) === present);
}

function inodeOf(path: string): number | undefined {
  try {
    return Deno.statSync(path).ino ?? undefined;
  } catch {
    return undefined;
  }
}
