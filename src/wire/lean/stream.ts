/**
 * One stream, as a server that never pushes sees it (RFC 9113 §5.1):
 *
 *              HEADERS                     END_STREAM
 *    idle ───────────────▶ RECEIVING ─────────────────────▶ ANSWERING ──────▶ CLOSED
 *       │                      │                                │   our END_STREAM, RST_STREAM of either side
 *       │                      └──── refused, RST_STREAM of either side ────▶ CLOSED
 *       └──── HEADERS + END_STREAM ──────────────────────▶ ANSWERING
 *
 * Idle is every number above the last one, CLOSED every number below that is not in the table. A stream that is refused
 * while RECEIVING ends with our END_STREAM and RST_STREAM(NO_ERROR) (§8.1). Whatever is not in the picture is an error.
 */
import { Body } from './body.js';
import type { Response } from './response.js';

export const RECEIVING = 0;
export const ANSWERING = 1;
export const CLOSED = 2;

/** Fields rather than closures: at saturation a stream lives for a microsecond, and its object is used again. */
export class Stream {
  id = 0;
  state = CLOSED;
  target = 0;
  /** Where it is not a call of gRPC: what is answered at its end. */
  refusal: Response | undefined = undefined;
  /** ms since 1970. */
  deadline: number | undefined = undefined;
  /** What `content-length` said, or Infinity; and the octets of DATA without padding so far. */
  declared = Infinity;
  received = 0;
  receiveWindow = 0;
  sendWindow = 0;
  readonly body = new Body();
  /** The tick of its HEADERS. */
  since = 0;
  /** The handler was asked, and has not answered yet. Then somebody else knows this object: it is not used again. */
  asked = false;
  shared = false;
  timer: NodeJS.Timeout | undefined = undefined;
  /** DATA that waits for a window, then what ends the stream; `open` while more may come. */
  unsent: Buffer | undefined = undefined;
  trailers: Buffer | undefined = undefined;
  open = false;
  /** Of a Watch: told when the stream ends. */
  left: (() => void) | undefined = undefined;

  begin(id: number, sendWindow: number, receiveWindow: number, since: number): void {
    this.id = id;
    this.state = RECEIVING;
    this.target = 0;
    this.refusal = undefined;
    this.deadline = undefined;
    this.declared = Infinity;
    this.received = 0;
    this.sendWindow = sendWindow;
    this.receiveWindow = receiveWindow;
    this.since = since;
  }
}
