/**
 * PPP numbers by their RFC names: protocols, codes of control packets, types of configuration options (IANA "PPP
 * Numbers"; RFC 1661, 1332, 1334, 1570, 1877, 1994, 2433, 2759, 5072).
 *
 * @module
 */

/** Values of the Protocol field. */
export const PPP_PROTOCOL = {
  /** Internet Protocol, version 4: data. */
  IP: 0x0021,
  /** Internet Protocol, version 6: data. */
  IPV6: 0x0057,
  /** Internet Protocol Control Protocol (RFC 1332). */
  IPCP: 0x8021,
  /** IPv6 Control Protocol (RFC 5072). */
  IPV6CP: 0x8057,
  /** Compression Control Protocol (RFC 1962). */
  CCP: 0x80fd,
  /** Link Control Protocol (RFC 1661). */
  LCP: 0xc021,
  /** Password Authentication Protocol (RFC 1334). */
  PAP: 0xc023,
  /** Challenge Handshake Authentication Protocol (RFC 1994). */
  CHAP: 0xc223,
} as const;

/** Codes of control packets. Codes up to Code-Reject are common to all control protocols; the others belong to LCP. */
export const PPP_CODE = {
  CONFIGURE_REQUEST: 1,
  CONFIGURE_ACK: 2,
  CONFIGURE_NAK: 3,
  CONFIGURE_REJECT: 4,
  TERMINATE_REQUEST: 5,
  TERMINATE_ACK: 6,
  CODE_REJECT: 7,
  PROTOCOL_REJECT: 8,
  ECHO_REQUEST: 9,
  ECHO_REPLY: 10,
  DISCARD_REQUEST: 11,
  IDENTIFICATION: 12,
  TIME_REMAINING: 13,
} as const;

/** Codes of PAP packets (RFC 1334 section 2.2). */
export const PAP_CODE = {
  AUTHENTICATE_REQUEST: 1,
  AUTHENTICATE_ACK: 2,
  AUTHENTICATE_NAK: 3,
} as const;

/**
 * Codes of CHAP packets (RFC 1994 section 4), and of the Change-Password packets of MS-CHAP (RFC 2433 sections 9 and
 * 10, RFC 2759 section 7).
 */
export const CHAP_CODE = {
  CHALLENGE: 1,
  RESPONSE: 2,
  SUCCESS: 3,
  FAILURE: 4,
  CHANGE_PASSWORD_1: 5,
  CHANGE_PASSWORD_2: 6,
  CHANGE_PASSWORD_3: 7,
} as const;

/** Types of LCP configuration options (RFC 1661 section 6, RFC 1662 section 7.1). */
export const LCP_OPTION = {
  MAXIMUM_RECEIVE_UNIT: 1,
  ASYNC_CONTROL_CHARACTER_MAP: 2,
  AUTHENTICATION_PROTOCOL: 3,
  MAGIC_NUMBER: 5,
  PROTOCOL_FIELD_COMPRESSION: 7,
  ADDRESS_AND_CONTROL_FIELD_COMPRESSION: 8,
} as const;

/** Types of IPCP configuration options (RFC 1332 section 3, RFC 1877 section 1). */
export const IPCP_OPTION = {
  IP_ADDRESS: 3,
  PRIMARY_DNS: 129,
  PRIMARY_NBNS: 130,
  SECONDARY_DNS: 131,
  SECONDARY_NBNS: 132,
} as const;

/** Types of IPV6CP configuration options (RFC 5072 section 4). */
export const IPV6CP_OPTION = {
  INTERFACE_IDENTIFIER: 1,
} as const;

/** Default Maximum-Receive-Unit, in bytes (RFC 1661 section 6.1). */
export const DEFAULT_MRU = 1500;
