/**
 * Every bound of the lean listener, with its reason. What is told to the peer stands in SETTINGS (RFC 9113 §6.5.2); the
 * rest is what a peer meets only when it does something that no gRPC client does. docs/lean-listener.md lists them.
 */

/** Octets of a frame that we take: the least that HTTP/2 allows, so no frame can ask for much memory. */
export const MAX_FRAME = 16_384;
/** Octets of the dynamic table for what comes in: the default, which holds all of Envoy's repeated headers. */
export const HEADER_TABLE = 4_096;
/**
 * A header list as §6.5.2 counts it, and octets of a header block before decompression. Envoy's own limit is 60 KiB.
 */
export const MAX_HEADER_LIST = 65_536;
export const MAX_HEADER_BLOCK = 65_536;
/** A block of 64 KiB needs 4 frames; more frames are work without content (CONTINUATION flood). */
export const MAX_CONTINUATIONS = 16;
/**
 * Above any circuit breaker: Envoy sends a burst before it has read a limit, and would take the refusals for denials.
 */
export const MAX_STREAMS = 16_384;
/** Of all connections of a listener: a stream costs some hundred bytes even if nothing follows its headers. */
export const MAX_STREAMS_IN_ALL = 65_536;
/** What may come in on a stream before we say more: a usual CheckRequest never waits for it. */
export const STREAM_WINDOW = 1_048_576;
export const CONNECTION_WINDOW = 16_777_216;
/**
 * Octets of messages that are not complete, of all connections of a listener; a single one may have MAX_RECEIVE_BYTES.
 */
export const MAX_PARTIAL_BYTES = 67_108_864;
/** Octets of a body that nobody reads, before its refusal is sent without waiting for its end. */
export const MAX_IGNORED_BODY = 65_536;
/** Envoy opens one connection for each worker thread and cluster. */
export const MAX_CONNECTIONS = 256;
/** Octets that wait for the socket: from here on nothing is read, so that the peer has to read first. */
export const PAUSE_AT = 262_144;
/** Octets that wait for the socket or for flow control: the end of the connection. One chunk can ask for this much. */
export const MAX_UNSENT = 4_194_304;

/** Ticks are seconds: one timer for all connections. */
export const TICK_MS = 1_000;
/** From connecting to a complete preface and SETTINGS. */
export const HANDSHAKE_TICKS = 10;
/** A reader that takes nothing for so long is none. */
export const STALL_TICKS = 30;
/** From HEADERS to END_STREAM, where no grpc-timeout ends it earlier. */
export const REQUEST_TICKS = 60;
/** From our GOAWAY with an error to the end, if the peer does not close: it shall have read why. */
export const LINGER_TICKS = 2;

/**
 * Frames that ask for nothing: each second so many points, and one more for each call that was answered. 4,000 PINGs
 * take some 10 ms of a second; a peer that sends more is no gRPC client (PING, SETTINGS, reset and empty-frame floods).
 */
export const BUDGET_PER_TICK = 4_000;
