/**
 * The kernel that the guest runs and the initramfs that it starts from, made from Debian's kernel package.
 *
 * @module
 */
import { basename, join } from "node:path";
import { promisify } from "node:util";
import { zstdDecompress } from "node:zlib";
import { ensurePackages, updatePackageLists } from "../tools/debian.ts";
import { GuestError } from "./guest_error.ts";
import { CommandError, removeTree, Scratch } from "./scratch.ts";

/** Files that a guest needs to boot. All paths are absolute. */
export interface GuestImage {
  /** As `uname -r` says in the guest. */
  readonly kernelRelease: string;
  /** The uncompressed kernel, an ELF file. */
  readonly kernel: string;
  /** A cpio archive: busybox, the modules needed at boot, initramfs_init.sh. */
  readonly initramfs: string;
  /** Directory that the guest mounts as /lib/modules/RELEASE. */
  readonly modulesDirectory: string;
}

/** Debian's name for "the newest kernel of this release"; its dependency is the kernel's own package. */
const KERNEL_META_PACKAGE = "linux-image-amd64";

const PACKAGES = ["qemu-system-x86", "busybox-static", "cpio", "kmod", "xz-utils"];

/** Modules for mounting the root file system. */
const ROOT_MODULES = ["virtio_pci", "virtio_console", "9pnet_virtio", "9p", "overlay"];

/**
 * Modules that the tests use, loaded before the command. Other modules are loaded on demand, which takes longer.
 */
const GUEST_MODULES = [
  "l2tp_eth",
  "l2tp_ip",
  "l2tp_ip6",
  "l2tp_ppp",
  "l2tp_netlink",
  "l2tp_debugfs",
  "pppox",
  "ppp_async",
  "tun",
  "veth",
  "nlmon",
  "bridge",
  // As Debian configures it: no dummy0 by default.
  "dummy numdummies=0",
];

const INIT_SCRIPT = new URL("./initramfs_init.sh", import.meta.url);
const BUSYBOX = "/bin/busybox";
const REASON = "the QEMU guest";

/** Names the kernel directory of the cache that is in use. */
const CURRENT_FILE = "current";

const SCRATCH_PREFIX = "new.";

/**
 * Makes the guest's kernel and initramfs, or finds them already made: that costs some 20 ms. Making them
 * installs the Debian packages that are missing (as root), downloads Debian's kernel package (70 MB) and
 * takes some 450 MB in $L2TP_GUEST_CACHE, else $XDG_CACHE_HOME/l2tp-guest, else ~/.cache/l2tp-guest. A kernel
 * once made is kept: remove the directory to get a newer one. Runs at the same time wait for each other.
 *
 * @throws {GuestError} with stage "host" or "prepare"
 * @throws {PackagesMissingError} packages are missing and cannot be installed from here
 * @throws {AptError} apt-get failed
 * @throws {Deno.errors.Interrupted} a signal came that this program survives
 */
export async function prepareGuest(): Promise<GuestImage> {
  if (Deno.build.os !== "linux" || Deno.build.arch !== "x86_64") {
    throw new GuestError(
      "host",
      `the QEMU guest runs this machine's own programs on an emulated amd64 machine: it needs Linux on amd64, ` +
        `and this is ${Deno.build.os} on ${Deno.build.arch}`,
    );
  }
  await ensurePackages(PACKAGES, REASON);
  const cache = cacheDirectory();
  await Deno.mkdir(cache, { recursive: true });
  using lock = await Deno.open(join(cache, "lock"), { create: true, write: true });
  await lock.lock(true);
  await removeLeftovers(cache);
  try {
    const release = await currentRelease(cache) ?? await makeKernel(cache);
    const image: GuestImage = {
      kernelRelease: release,
      kernel: join(cache, release, "vmlinux"),
      initramfs: join(cache, release, "initramfs.cpio"),
      modulesDirectory: join(cache, release, "lib/modules", release),
    };
    await makeInitramfs(image, cache);
    return image;
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    throw new GuestError("prepare", `the guest's kernel could not be prepared: ${error.message}`, "", {
      cause: error,
    });
  }
}

function cacheDirectory(): string {
  const own = Deno.env.get("L2TP_GUEST_CACHE");
  if (own) return own;
  const xdg = Deno.env.get("XDG_CACHE_HOME");
  if (xdg) return join(xdg, "l2tp-guest");
  const home = Deno.env.get("HOME");
  if (home) return join(home, ".cache/l2tp-guest");
  throw new GuestError(
    "host",
    "none of L2TP_GUEST_CACHE, XDG_CACHE_HOME and HOME is set: no place for the kernel",
  );
}

/** The release of the kernel that is in the cache and whole. */
async function currentRelease(cache: string): Promise<string | undefined> {
  const release = (await Deno.readTextFile(join(cache, CURRENT_FILE)).catch(() => "")).trim();
  return release !== "" && await exists(join(cache, release, "vmlinux")) ? release : undefined;
}

/**
 * Removes leftovers of killed runs. The lock excludes concurrent runs.
 */
async function removeLeftovers(cache: string): Promise<void> {
  for await (const entry of Deno.readDir(cache)) {
    if (entry.name.startsWith(SCRATCH_PREFIX)) {
      await removeTree(join(cache, entry.name));
    }
  }
}

/** Downloads and unpacks a kernel into the cache; returns its release. */
async function makeKernel(cache: string): Promise<string> {
  await using scratch = await Scratch.open(SCRATCH_PREFIX, cache);
  const packageName = await kernelPackage(scratch);
  const release = packageName.replace("linux-image-", "");
  console.error(`downloading ${packageName} for ${REASON}`);
  const archive = await download(scratch, packageName);
  const tree = join(scratch.directory, "tree");
  await Deno.mkdir(tree);
  await scratch.run(["dpkg-deb", "-x", archive, tree]);
  await Deno.remove(archive);
  // Debian 13 moved it, and kmod's programs have one of the two paths built in.
  if (await exists(join(tree, "usr/lib/modules"))) await Deno.symlink("usr/lib", join(tree, "lib"));
  else await Deno.symlink("../lib", join(tree, "usr/lib"));
  await scratch.run(["depmod", "-b", tree, release]);
  await Deno.writeFile(
    join(tree, "vmlinux"),
    await unpackKernel(scratch, join(tree, "boot", `vmlinuz-${release}`)),
  );
  const place = join(cache, release);
  await removeTree(place);
  await Deno.rename(tree, place);
  await Deno.writeTextFile(join(cache, CURRENT_FILE), `${release}\n`);
  return release;
}

async function kernelPackage(scratch: Scratch): Promise<string> {
  const find = async (): Promise<string | undefined> => {
    const depends = await scratch.run(["apt-cache", "depends", KERNEL_META_PACKAGE]).catch(ignoreFailure);
    return /Depends: (linux-image-\d\S*-amd64)$/m.exec(new TextDecoder().decode(depends))?.[1];
  };
  let found = await find();
  if (found === undefined && Deno.uid() === 0) {
    await updatePackageLists();
    found = await find();
  }
  if (found !== undefined) return found;
  throw new GuestError(
    "prepare",
    `apt knows no package ${KERNEL_META_PACKAGE}, which names Debian's current kernel: ` +
      `this needs Debian, and package lists (sudo apt-get update)`,
  );
}

/** Returns the path of the package's file, in the scratch directory. */
async function download(scratch: Scratch, packageName: string): Promise<string> {
  // apt would hand the download to a user of its own, who cannot write into our directory, and then complain.
  const fetch = ["apt-get", "-q", "-o", "APT::Sandbox::User=root", "download", packageName];
  try {
    await scratch.run(fetch);
  } catch (error) {
    if (!(error instanceof CommandError) || Deno.uid() !== 0) throw error;
    // The lists may name a version that the mirror no longer has.
    await updatePackageLists();
    await scratch.run(fetch);
  }
  for await (const entry of Deno.readDir(scratch.directory)) {
    if (entry.name.endsWith(".deb")) return join(scratch.directory, entry.name);
  }
  throw new GuestError("prepare", `apt-get download ${packageName} succeeded but left no file`);
}

/**
 * Takes the ELF kernel out of a bzImage. QEMU can start that one directly (PVH), which spares the guest
 * unpacking it under emulation: 3 s of each boot.
 */
async function unpackKernel(scratch: Scratch, path: string): Promise<Uint8Array> {
  const image = await Deno.readFile(path);
  const view = new DataView(image.buffer);
  // The boot protocol (Documentation/arch/x86/boot.rst): setup_sects, and from version 2.08 on payload_offset
  // and payload_length, counted from the end of the real-mode code.
  const setupEnd = (view.getUint8(0x1f1) + 1) * 512;
  const start = setupEnd + view.getUint32(0x248, true);
  // The build appends the unpacked size to the compressed kernel.
  const end = start + view.getUint32(0x24c, true) - 4;
  const payload = image.slice(start, end);
  const kernel = await decompress(scratch, payload);
  if (new DataView(kernel.buffer, kernel.byteOffset).getUint32(0) !== 0x7f454c46) {
    throw new GuestError("prepare", `${basename(path)} does not contain an ELF kernel where it says`);
  }
  return kernel;
}

/**
 * Unpacks what is packed with xz or zstd, as Debian's kernels and modules may be; returns anything else as it
 * is.
 */
async function decompress(scratch: Scratch, bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  switch (new DataView(bytes.buffer, bytes.byteOffset).getUint32(0)) {
    case 0xfd377a58:
      return await scratch.run(["xz", "-dc"], { input: bytes });
    case 0x28b52ffd:
      return await promisify(zstdDecompress)(bytes);
    default:
      return bytes;
  }
}

/** Makes the initramfs, unless it was made from the same things before. */
async function makeInitramfs(image: GuestImage, cache: string): Promise<void> {
  const script = await Deno.readTextFile(INIT_SCRIPT);
  const busybox = await Deno.stat(BUSYBOX);
  const made = JSON.stringify([script, ROOT_MODULES, GUEST_MODULES, busybox.size, busybox.mtime]);
  const madeFile = `${image.initramfs}.made-from`;
  if (await exists(image.initramfs) && await Deno.readTextFile(madeFile).catch(() => "") === made) return;

  await using scratch = await Scratch.open(SCRATCH_PREFIX, cache);
  const root = join(scratch.directory, "root");
  const directories = ["bin", "dev", "proc", "sys", "modules", "ro", "rw", "new"];
  for (const name of directories) await Deno.mkdir(join(root, name), { recursive: true });
  await Deno.copyFile(BUSYBOX, join(root, "bin/busybox"));
  await Deno.writeTextFile(join(root, "init"), script, { mode: 0o755 });
  const files = [...directories, "bin/busybox", "init", "modules/root.list", "modules/guest.list"];
  const copied = new Set<string>();
  for (const [list, modules] of [["root.list", ROOT_MODULES], ["guest.list", GUEST_MODULES]] as const) {
    let lines = "";
    for (const wanted of modules) {
      const [name = "", ...parameters] = wanted.split(" ");
      for (const file of await filesOfModule(scratch, image, name)) {
        const plain = basename(file).replace(/\.ko\.\w+$/, ".ko");
        if (copied.has(plain)) continue;
        copied.add(plain);
        files.push(`modules/${plain}`);
        // busybox's insmod cannot be relied on to unpack what Debian 13 packs.
        await Deno.writeFile(
          join(root, "modules", plain),
          await decompress(scratch, await Deno.readFile(file)),
        );
        lines += [plain, ...(plain === `${name}.ko` ? parameters : [])].join(" ") + "\n";
      }
    }
    await Deno.writeTextFile(join(root, "modules", list), lines);
  }
  const names = new TextEncoder().encode(files.join("\n") + "\n");
  const archive = await scratch.run(["cpio", "--quiet", "-o", "-H", "newc"], { cwd: root, input: names });
  const fresh = join(scratch.directory, "initramfs.cpio");
  await Deno.writeFile(fresh, archive);
  // In this order: an archive without its note is made again.
  await removeTree(madeFile);
  await Deno.rename(fresh, image.initramfs);
  await Deno.writeTextFile(madeFile, made);
}

/** The files of a module and of those it depends on, in the order in which they must be loaded. */
async function filesOfModule(scratch: Scratch, image: GuestImage, name: string): Promise<string[]> {
  const base = join(image.modulesDirectory, "../../..");
  const output = await scratch.run([
    "modprobe",
    "-d",
    base,
    "-S",
    image.kernelRelease,
    "--show-depends",
    name,
  ]);
  const files: string[] = [];
  for (const line of new TextDecoder().decode(output).split("\n")) {
    // Modules built into this kernel have a line that starts with "builtin".
    const file = /^insmod (.*\.ko(?:\.\w+)?)(?: |$)/.exec(line)?.[1];
    if (file !== undefined) files.push(file);
  }
  return files;
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

function ignoreFailure(error: unknown): Uint8Array<ArrayBuffer> {
  if (error instanceof CommandError) return new Uint8Array();
  throw error;
}
