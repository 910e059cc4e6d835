/**
 * QEMU's command line.
 *
 * @module
 */
import type { GuestImage } from "./guest_image.ts";
import type { GuestPort } from "./guest_port.ts";

/** The machine to emulate. */
export interface GuestMachine {
  /** Image to boot. */
  readonly image: GuestImage;
  /** Sockets of the console and the three serial ports. */
  readonly ports: Readonly<Record<"console" | "stdout" | "stderr" | "events", GuestPort>>;
  /** The directory that guest_init.sh reads. */
  readonly control: string;
  /** The directories, absolute, that the guest may change. */
  readonly writable: readonly string[];
  /** The kernel logs more than warnings. */
  readonly verbose: boolean;
  /** Memory, in MiB. */
  readonly memoryMib: number;
  /** Number of processors. */
  readonly cpus: number;
}

/** The program and all its arguments. */
export function qemuArguments(machine: GuestMachine): string[] {
  const { image, ports } = machine;
  const kernelCommandLine = [
    "console=ttyS0",
    machine.verbose ? "loglevel=6" : "quiet",
    // With -no-reboot: a panic ends QEMU.
    "panic=-1 reboot=t",
    "mitigations=off tsc=reliable",
    // Work with network namespaces takes five times as long without these two.
    "rcupdate.rcu_expedited=1 norandmaps",
    "random.trust_cpu=on audit=0 apparmor=0 net.ifnames=0",
  ];
  return [
    "qemu-system-x86_64",
    // Never KVM: where the host is itself a guest, /dev/kvm may be there and hang.
    ...["-accel", "tcg,thread=multi,tb-size=512"],
    ...["-cpu", "max,la57=off", "-smp", `${machine.cpus}`, "-m", `${machine.memoryMib}`],
    ...["-machine", "pc,hpet=off", "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"],
    ...["-kernel", image.kernel, "-initrd", image.initramfs, "-append", kernelCommandLine.join(" ")],
    ...[...socket(ports.console), "-serial", `chardev:${ports.console.name}`],
    ...["-device", "virtio-serial-pci,max_ports=4"],
    ...[...socket(ports.stdout), "-device", `virtserialport,nr=1,chardev=${ports.stdout.name}`],
    ...[...socket(ports.stderr), "-device", `virtserialport,nr=2,chardev=${ports.stderr.name}`],
    ...[...socket(ports.events), "-device", `virtserialport,nr=3,chardev=${ports.events.name}`],
    ...share("hostroot", "/", "security_model=none,readonly=on"),
    ...share("control", machine.control, "security_model=none,readonly=on"),
    // Only root can give files to other users; anybody else's guest has all files owned by that user.
    ...machine.writable.flatMap((path, index) =>
      share(`share${index}`, path, `security_model=${Deno.uid() === 0 ? "passthrough" : "none"}`)
    ),
    ...["-device", "virtio-rng-pci"],
  ];
}

function socket(port: GuestPort): string[] {
  return ["-chardev", `socket,id=${port.name},path=${escape(port.path)}`];
}

function share(tag: string, path: string, options: string): string[] {
  return [
    ...["-fsdev", `local,id=${tag},path=${escape(path)},multidevs=remap,${options}`],
    ...["-device", `virtio-9p-pci,fsdev=${tag},mount_tag=${tag}`],
  ];
}

/** QEMU's options are separated by commas; one that is meant is doubled. */
function escape(value: string): string {
  return value.replaceAll(",", ",,");
}
