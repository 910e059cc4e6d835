/**
 * The keywords behind `ppp`: how a PPP session is run. They are a block of their own because some of them (`local`,
 * `remote`, `mtu`) mean something else in front of it. They come from the table that configurations are read by.
 *
 * @module
 */

import { PPP_SETTINGS, type PppSetting } from "../../config/schema/ppp_schema.ts";
import type { DesiredPpp } from "../../model/ppp/settings.ts";
import type { Keyword, Use } from "./keyword.ts";
import { argumentWrong } from "./messages.ts";
import { UsageError } from "./usage_error.ts";
import { parseUnsigned } from "./values.ts";

const USES: readonly Use[] = ["add session"];

/** The word as a configuration would have it, behind what was said before. */
function valueOf({ form, field }: PppSetting, word: string, before: DesiredPpp): unknown {
  switch (form) {
    case "flag":
      return word === "on" ? true : word === "off" ? false : word;
    case "number":
      return parseUnsigned(word) ?? word;
    case "words":
      return [...(before[field] as readonly string[] | undefined) ?? [], word];
    // Relative to where the command is run.
    case "path":
      return word.startsWith("/") || word === "" ? word : `/${word}`;
    case "text":
      return word;
    default:
      return form satisfies never;
  }
}

/** How help tells of a setting on the command line. */
function helpOf({ form, help, fallback }: PppSetting): string {
  if (form === "words") return `${help}; may be repeated`;
  if (fallback === undefined) return help;
  return `${help} (default ${form === "flag" ? (fallback === "true" ? "on" : "off") : fallback})`;
}

function keyword(setting: PppSetting): Keyword {
  const { key, form, placeholder } = setting;
  const choices = form === "flag" ? { on: `turn ${key} on`, off: `turn ${key} off` } : setting.choices;
  return {
    word: key,
    value: {
      placeholder,
      ...(choices !== undefined && { choices: Object.keys(choices), about: choices }),
      read: (word, into) => {
        const ppp = into.ppp ??= {};
        const wrong = setting.read(valueOf(setting, word, ppp), ppp);
        if (wrong !== undefined) throw new UsageError(argumentWrong(word, `it ${reasonOf(setting, wrong)}`));
        if (form === "path") ppp.secretFile = word;
      },
    },
    ...(form === "words" && { repeats: true }),
    help: helpOf(setting),
    uses: USES,
  };
}

/** Why a word is wrong, in the command line's words. */
function reasonOf({ form }: PppSetting, { reason }: { readonly reason: string }): string {
  return form === "flag" ? "must be on or off" : reason;
}

/** The keywords behind `ppp`, in the order in which help lists them. */
export const PPP_KEYWORDS: readonly Keyword[] = [
  ...PPP_SETTINGS.map(keyword),
  {
    word: "pppd",
    value: {
      placeholder: "FILE",
      // Goes as it is to a program.
      read: (word, into) => {
        if (word === "" || word.includes("\0")) throw new UsageError(argumentWrong(word, "a file expected"));
        into.pppdFile = word;
      },
    },
    help: "instead of all these: pppd gets the session, with its arguments in FILE (kernel)",
    uses: USES,
  },
];
