/**
 * The manual page `l2tp.toml(5)` in roff, made from the tables of the configuration's schema.
 *
 * @module
 */

import { PPP_SETTINGS, SESSION_SETTINGS, type Setting, TUNNEL_SETTINGS } from "../../config/schema/schema.ts";
import { MANUAL_DATE, PROGRAM_VERSION } from "../../model/version.ts";
import { roffEntry, roffExample, roffParagraph } from "../output/roff.ts";

/** A key with its type, meaning, default and limits. */
function settingEntry<T>({ key, type, help, fallback, required, own, changes }: Setting<T>): string {
  const notes = [
    required ? "Required." : fallback === undefined ? "" : `Default: ${fallback}.`,
    own ? "Not in classes and defaults." : "",
    changes ? "" : "A change re-creates it.",
  ].filter((note) => note !== "");
  return roffEntry(`${key} = ${type}`, [`${help}.`, ...notes].join(" "));
}

function settings<T>(title: string, schema: readonly Setting<T>[]): string {
  return `.SH ${title}\n${schema.map(settingEntry).join("")}`;
}

const EXAMPLE = `[defaults.tunnel]
local = "192.0.2.1"

[class.session.office]
bridge = "br0"
up = true

[tunnel.paris]
tunnel_id = 1
peer_tunnel_id = 2
encap = "ip"
remote = "192.0.2.2"

[tunnel.paris.session.office]
class = "office"
session_id = 10
peer_session_id = 20
interface = "pw0"

[tunnel.paris.session.dialin]
session_id = 11
peer_session_id = 21

[tunnel.paris.session.dialin.ppp]
user = "alice"
secret-file = "/etc/l2tp/secrets"
`;

/** The manual page `l2tp.toml(5)`. */
export function configManualPage(): string {
  return `.TH L2TP.TOML 5 "${MANUAL_DATE}" "l2tp ${PROGRAM_VERSION}" "File formats"
.SH NAME
l2tp.toml \\- configuration of L2TP tunnels and sessions
.SH SYNOPSIS
.B /etc/l2tp/l2tp.toml
.SH DESCRIPTION
${
    roffParagraph(
      "The file describes tunnels, their sessions, the interfaces of the sessions and PPP on them, in TOML. " +
        "l2tp apply makes the system match the file. l2tp daemon config FILE does the same at boot, and creates " +
        "each tunnel once its names, addresses, routes and bridges exist. l2tp check reports errors with line and " +
        "column and changes nothing. l2tp save writes the present state in this form.",
    )
  }.PP
${
    roffParagraph(
      "Each tunnel is a table [tunnel.NAME], each of its sessions a table [tunnel.NAME.session.NAME], and PPP on a " +
        "session its sub-table ppp, which may be empty. The names are the file's own. Settings that several " +
        "tunnels or sessions share stand in [class.tunnel.NAME] or [class.session.NAME], which the key class " +
        'selects (class = "office", or a list of which later ones win), and settings of all in [defaults.tunnel] ' +
        "or [defaults.session]. A tunnel's or session's own settings override those of its classes, and those " +
        "override the defaults.",
    )
  }${settings("KEYS OF A TUNNEL", TUNNEL_SETTINGS)}${settings("KEYS OF A SESSION", SESSION_SETTINGS)}${
    settings("KEYS OF PPP", PPP_SETTINGS)
  }.SH EXAMPLES
${roffExample(EXAMPLE)}.SH FILES
.TP
.B /etc/l2tp/l2tp.toml
The file that commands read unless another is named.
.SH SEE ALSO
.BR l2tp (8)
`;
}
