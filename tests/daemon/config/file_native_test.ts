/** Reading the daemon's configuration file: what goes wrong is told in plain words. */

import { assert, assertEquals } from "@std/assert";
import { isBadFile, readConfigFile } from "../../../src/daemon/config/file.ts";

Deno.test("readConfigFile(): a file that cannot be read is told in the system's words alone", async () => {
  const path = `${Deno.makeTempDirSync()}/none.toml`;
  const read = await readConfigFile(path);
  assert(isBadFile(read));
  assertEquals(read, { lines: [`cannot read ${path}: No such file or directory`], read: false });
});
