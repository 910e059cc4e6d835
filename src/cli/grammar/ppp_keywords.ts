/**
 * The keywords after `ppp`: options of PPP. They are a block of their own because some of them (`local`, `remote`, `mtu`)
 * have another meaning before `ppp`. They come from the schema of the configuration.
 *
 * @module
 */

import { isPath } from "../../config/schema/ppp_kinds.ts";
import { PPP_SETTINGS, type Setting } from "../../config/schema/schema.ts";
import type { DesiredPpp } from "../../model/ppp/settings.ts";
import { helpOf, type Keyword, type Use } from "./keyword.ts";
import { argumentWrong } from "./messages.ts";
import { UsageError } from "./usage_error.ts";
import { parseUnsigned } from "./values.ts";

const USES: readonly Use[] = ["add session"];

/** Reads a word of the command line into the settings. Returns why it is wrong. */
function read(setting: Setting<DesiredPpp>, word: string, into: DesiredPpp): string | undefined {
  const { form, field } = setting;
  const reasonOf = (value: unknown): string | undefined => setting.read(value, into)?.reason;
  switch (form) {
    case "flag":
      if (word !== "on" && word !== "off") return "must be on or off";
      return reasonOf(word === "on");
    case "number":
      return reasonOf(parseUnsigned(word) ?? word);
    case "words":
      return reasonOf([...(into[field] as readonly string[] | undefined) ?? [], word]);
    case "path":
      // Unlike in a file, it may be relative: to where the command is run.
      if (!isPath(word)) return "must be the path of a file";
      return void Object.assign(into, { [field]: word });
    default:
      return reasonOf(word);
  }
}

function keyword(setting: Setting<DesiredPpp>): Keyword {
  const { key, form, placeholder } = setting;
  const choices = form === "flag" ? { on: `turn ${key} on`, off: `turn ${key} off` } : setting.choices;
  return {
    word: key,
    value: {
      placeholder,
      ...(choices !== undefined && { choices: Object.keys(choices), about: choices }),
      read: (word, into) => {
        const wrong = read(setting, word, into.ppp ??= {});
        if (wrong !== undefined) throw new UsageError(argumentWrong(word, `it ${wrong}`));
      },
    },
    ...(form === "words" && { repeats: true }),
    help: form === "words" ? `${setting.help}; may be repeated` : helpOf(setting),
    uses: USES,
  };
}

/** The keywords after `ppp`, in the order in which help lists them. */
export const PPP_KEYWORDS: readonly Keyword[] = [
  ...PPP_SETTINGS.map(keyword),
  {
    word: "pppd",
    value: {
      placeholder: "FILE",
      // The path is an argument of pppd.
      read: (word, into) => {
        if (word === "" || word.includes("\0")) throw new UsageError(argumentWrong(word, "a file expected"));
        into.pppdFile = word;
      },
    },
    help: "instead of these: run pppd on the session, with its arguments in FILE (kernel)",
    uses: USES,
  },
];
