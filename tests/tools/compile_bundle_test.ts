/** `compile_bundle.ts`: a bundled program does what its source does. */

import { assertStrictEquals } from "@std/assert";
import { APART } from "./compile.ts";
import { bundle } from "./compile_bundle.ts";

const PROGRAM = `
function sync(): void {
  using folder = Deno.openSync("/tmp");
  folder.syncSync();
}
for (let i = 0; i < 5; i++) sync();
const open = [...Deno.readDirSync("/proc/self/fd")].map(({ name }) => {
  try {
    return Deno.readLinkSync("/proc/self/fd/" + name);
  } catch {
    return "";
  }
});
console.log(open.filter((path) => path === "/tmp").length);
`;

Deno.test("what `using` closes is closed in the bundle, too", async () => {
  const folder = await Deno.makeTempDir({ prefix: "l2tp-using-" });
  try {
    await Deno.writeTextFile(`${folder}/program.ts`, PROGRAM);
    const { main, modules } = await bundle(`${folder}/program.ts`);
    for (const [name, text] of modules) await Deno.writeTextFile(`${folder}/${name}`, text);
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-config", "--no-lock", `${folder}/${main}`],
    }).output();
    assertStrictEquals(new TextDecoder().decode(stdout), "0\n");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a plain show loads three files of the bundled program: every file costs start-up time", async () => {
  const root = new URL("../../", import.meta.url).pathname;
  const { main, modules } = await bundle(`${root}main.ts`, APART.map((path) => `${root}${path}`));
  const loaded = new Set<string>([main]);
  for (const name of loaded) {
    for (const [, other = ""] of modules.get(name)!.matchAll(/^(?:import|} from)\b[^"\n]*"\.\/([^"]+)"/gm)) {
      loaded.add(other);
    }
  }
  assertStrictEquals(loaded.size, 3, [...loaded].join());
});
