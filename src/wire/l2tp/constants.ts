/**
 * Bits and sizes of L2TP data headers (RFC 2661 section 3.1, RFC 3931 sections 4.1 and 4.6).
 *
 * @module
 */

/** Flags word: a control message, not data. */
export const L2TP_FLAG_T = 0x8000;
/** Flags word, version 2: a Length field is there. */
export const L2TP_FLAG_L = 0x4000;
/** Flags word, version 2: Ns and Nr are there. */
export const L2TP_FLAG_S = 0x0800;
/** Flags word, version 2: an Offset Size field is there. */
export const L2TP_FLAG_O = 0x0200;
/** Flags word, version 2: priority; data only. */
export const L2TP_FLAG_P = 0x0100;
/** Flags word: the bits of the version. */
export const L2TP_VERSION_MASK = 0x000f;

/** Default L2-specific sublayer: the low bits are a sequence number. */
export const SUBLAYER_FLAG_S = 0x40000000;
/** Default L2-specific sublayer: the bits of the sequence number. */
export const SUBLAYER_SEQUENCE_MASK = 0x00ffffff;
/** Bytes of the default L2-specific sublayer. */
export const SUBLAYER_BYTES = 4;

/** Largest sequence number of version 2; the next one is 0. */
export const MAX_SEQUENCE_V2 = 0xffff;
/** Largest sequence number of version 3; the next one is 0. */
export const MAX_SEQUENCE_V3 = 0xffffff;

/** First byte of PPP in HDLC-like framing: all stations (RFC 1662 section 3.1). */
export const PPP_ALLSTATIONS = 0xff;
/** Second byte of PPP in HDLC-like framing: unnumbered information. */
export const PPP_UI = 0x03;
