/**
 * Explains why a kernel module is missing, and how to get it.
 *
 * @module
 */

import type { SystemFacts } from "../ports.ts";

/** Lines with the reason and what to try, for a module that the kernel could not load. */
export function explainMissingModule(module: string, system: SystemFacts): string[] {
  const forbiddenBy = system.forbiddenBy(module);
  if (system.hasModule(module)) {
    return [
      `Kernel module ${module} exists but was not loaded.`,
      ...(forbiddenBy === undefined
        ? ["A container cannot load modules: let the host do it.", `Load it as root: modprobe ${module}`]
        : [
          `${forbiddenBy} forbids it.`,
          `Load it as root all the same: modprobe --ignore-install ${module}, or change that file.`,
        ]),
    ];
  }
  return [
    `Kernel ${system.kernelRelease} has no module ${module}.`,
    packageAdvice(module, system),
  ];
}

function packageAdvice(module: string, { distribution, kernelRelease }: SystemFacts): string {
  switch (distribution) {
    case "debian":
      return "Debian's standard kernels have it, the cloud ones do not: apt install linux-image-amd64 (or -arm64), reboot";
    case "ubuntu":
      return `Install the kernel's extra modules: apt install linux-modules-extra-${kernelRelease}`;
    case "fedora":
    case "rhel":
    case "centos":
    case "rocky":
    case "almalinux":
      return `Install the kernel's extra modules: dnf install kernel-modules-extra-${kernelRelease}`;
    case "openwrt":
      return `Install it: opkg install ${
        { l2tp_netlink: "kmod-l2tp", l2tp_eth: "kmod-l2tp-eth", l2tp_ppp: "kmod-pppol2tp" }[module] ??
          "kmod-l2tp-ip"
      }`;
    case "alpine":
      return "Install the standard kernel: apk add linux-lts, reboot";
    default:
      return "Use a kernel that was built with CONFIG_L2TP and CONFIG_L2TP_V3.";
  }
}
