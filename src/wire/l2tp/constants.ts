/**
 * Bits and lengths of L2TP data headers (RFC 2661 section 3.1, RFC 3931 sections 4.1 and 4.6).
 *
 * @module
 */

/** Flags word: the packet is a control message, not a data message. */
export const L2TP_FLAG_T = 0x8000;
/** Flags word, version 2: the Length field is present. */
export const L2TP_FLAG_L = 0x4000;
/** Flags word, version 2: the fields Ns and Nr are present. */
export const L2TP_FLAG_S = 0x0800;
/** Flags word, version 2: the Offset Size field is present. */
export const L2TP_FLAG_O = 0x0200;
/** Flags word, version 2: priority. Data messages only. */
export const L2TP_FLAG_P = 0x0100;
/** Flags word: mask of the version. */
export const L2TP_VERSION_MASK = 0x000f;

/** Default L2-specific sublayer: flag S, the word carries a sequence number. */
export const SUBLAYER_FLAG_S = 0x40000000;
/** Default L2-specific sublayer: mask of the sequence number. */
export const SUBLAYER_SEQUENCE_MASK = 0x00ffffff;
/** Length of the default L2-specific sublayer, in bytes. */
export const SUBLAYER_BYTES = 4;

/** Largest sequence number of version 2; 0 follows. */
export const MAX_SEQUENCE_V2 = 0xffff;
/** Largest sequence number of version 3; 0 follows. */
export const MAX_SEQUENCE_V3 = 0xffffff;

/** Address field of PPP in HDLC-like framing: all stations (RFC 1662 section 3.1). */
export const PPP_ALLSTATIONS = 0xff;
/** Control field of PPP in HDLC-like framing: unnumbered information. */
export const PPP_UI = 0x03;
