/**
 * In what the program differs from `ip l2tp` on purpose. `docs/reference/differences-from-ip.md` has the same table; a test holds the two together.
 *
 * @module
 */

/** The differences, by name, as that page words them. */
export const DIFFERENCES = {
  "advice": "Behind the first line on stderr stand why and what to try, indented; no empty line behind it",
  "JSON":
    "`send_seq` and `recv_seq` are booleans and always there; more members; with `-json` an error is a JSON object",
  "usage":
    "Help that was asked for goes to stdout with exit 0; a wrong word is answered with what was probably meant, not with pages",
  "program name": "Hints say `l2tp help` where `ip` says `ip l2tp help`",
  "filters": "Every keyword given to `show` filters; `ip` prints everything",
  "stale fields":
    "A session's cookie, interface name and timeout are its own; `ip` prints those of an earlier one",
  "oneline": "`-o` puts each entry on one whole line; `ip` glues tunnels together and splits sessions",
  "ignored keywords": "Keywords that mean nothing to a command are named on stderr; `ip` drops them silently",
  "atomic": "`add tunnel session` makes both or neither; `ip` leaves the tunnel behind",
  "any works": "`local any` lets the kernel choose the address; `ip` advertises it and refuses it",
  "host names": "`remote` takes host names; `ip` takes addresses only",
  "words first": "A line is read whole before names are looked up and before the kernel is asked",
  "network namespaces": "`-n` also takes the path of a namespace file; a hint follows the error",
  "batch errors": "`-force` goes on after wrong words too; the failing file and line are always named",
  "more than ip": "`show` alone lists tunnels with their sessions; `-V` tells this program's version",
} as const;

/** Name of a difference. */
export type DifferenceName = keyof typeof DIFFERENCES;
