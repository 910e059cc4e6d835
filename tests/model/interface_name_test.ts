import { assertStrictEquals } from "@std/assert";
import {
  DEFAULT_INTERFACE_NAME,
  isInterfaceName,
  isInterfaceNameTemplate,
} from "../../src/model/interface_name.ts";

Deno.test("isInterfaceName(), isInterfaceNameTemplate()", () => {
  const names = [
    "a",
    "l2tpeth0",
    "123456789012345",
    "...",
    "a.b",
    "%",
    "ä",
    "名前",
    "-",
    "a%s",
    "%d",
    "a%d%d",
  ];
  const bad = [
    "",
    ".",
    "..",
    "1234567890123456",
    "a/b",
    "/",
    "a:b",
    "a b",
    "a\tb",
    "a\nb",
    "a\vb",
    "a\fb",
    "a\rb",
  ];
  // "à" is c3 a0 in UTF-8, and a0 a blank in ISO 8859-1.
  for (const name of [...bad, "à", "a\u00a0b", "a\0b", "名前名前名前", "a\ufffdb"]) {
    assertStrictEquals(isInterfaceName(name), false, JSON.stringify(name));
    assertStrictEquals(isInterfaceNameTemplate(name), false, JSON.stringify(name));
  }
  for (const name of names) assertStrictEquals(isInterfaceName(name), true, name);
  const templates = [DEFAULT_INTERFACE_NAME, "%d", "a", "x%dy", "%de"];
  for (const name of templates) assertStrictEquals(isInterfaceNameTemplate(name), true, name);
  for (const name of ["%", "a%", "a%s", "%%d", "%d%", "a%d%d", "%i", "%D", "% d"]) {
    assertStrictEquals(isInterfaceNameTemplate(name), false, name);
  }
});
