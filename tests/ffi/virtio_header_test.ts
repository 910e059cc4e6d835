/** `src/wire/virtio/net_header.ts`, the header of a TUN or TAP device's frames, against this machine's C compiler. */

import { assertEquals } from "@std/assert";
import * as header from "../../src/wire/virtio/net_header.ts";
import { sh } from "../support/processes.ts";

/** The C expression of each constant. */
const IN_C: Readonly<Record<keyof typeof header, string>> = {
  VIRTIO_NET_HEADER: "sizeof(struct virtio_net_hdr)",
  VIRTIO_FLAGS: "offsetof(struct virtio_net_hdr, flags)",
  VIRTIO_GSO_TYPE: "offsetof(struct virtio_net_hdr, gso_type)",
  VIRTIO_GSO_SIZE: "offsetof(struct virtio_net_hdr, gso_size)",
  VIRTIO_CHECKSUM_START: "offsetof(struct virtio_net_hdr, csum_start)",
  VIRTIO_CHECKSUM_OFFSET: "offsetof(struct virtio_net_hdr, csum_offset)",
  VIRTIO_NEEDS_CHECKSUM: "VIRTIO_NET_HDR_F_NEEDS_CSUM",
  VIRTIO_GSO_NONE: "VIRTIO_NET_HDR_GSO_NONE",
  VIRTIO_GSO_TCPV4: "VIRTIO_NET_HDR_GSO_TCPV4",
  VIRTIO_GSO_TCPV6: "VIRTIO_NET_HDR_GSO_TCPV6",
  // linux/virtio_net.h has it since 6.2, which is later than the headers of some build hosts.
  VIRTIO_GSO_UDP_L4: "5",
  VIRTIO_GSO_ECN: "VIRTIO_NET_HDR_GSO_ECN",
};

Deno.test("every offset and number of struct virtio_net_hdr is that of linux/virtio_net.h", async () => {
  const folder = await Deno.makeTempDir({ prefix: "l2tp-virtio-" });
  try {
    const rows = Object.entries(IN_C).map(([name, text]) => `  printf("${name} %d\\n", (int)(${text}));`);
    await Deno.writeTextFile(
      `${folder}/header.c`,
      `#include <stddef.h>\n#include <stdio.h>\n#include <linux/virtio_net.h>\nint main(void) {\n${
        rows.join("\n")
      }\n  return 0;\n}\n`,
    );
    await sh("gcc", "-o", `${folder}/header`, `${folder}/header.c`);
    const lines = (await sh(`${folder}/header`)).trim().split("\n");
    assertEquals(lines.sort(), Object.entries(header).map(([name, value]) => `${name} ${value}`).sort());
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
