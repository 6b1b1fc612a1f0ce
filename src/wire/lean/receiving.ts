/**
 * The windows of what we receive (RFC 9113 §5.2, §6.9). In: octets of DATA that came, padding included. Out:
 * WINDOW_UPDATE, once half of a window is used, not for each frame. Refuses more than was allowed. The connection's
 * window is given back at once: what is held in memory is bounded by body.ts, so that one stream that stops in the
 * middle does not hold up the others. As long as that is so, no window can be overrun; the checks are for the day when
 * it is not.
 */
import { ConnectionError, FLOW_CONTROL_ERROR } from './errors.js';
import { frame, uint32, WINDOW_UPDATE } from './frame.js';
import { CONNECTION_WINDOW, STREAM_WINDOW } from './limits.js';
import type { Output } from './output.js';
import type { Stream } from './stream.js';

export class Receiving {
  private window = CONNECTION_WINDOW;

  constructor(private readonly output: Output) {}

  connection(octets: number): void {
    this.window -= octets;
    if (this.window < 0) throw new ConnectionError(FLOW_CONTROL_ERROR, 'more DATA than the connection allows');
    if (this.window > CONNECTION_WINDOW / 2) return;
    this.update(0, CONNECTION_WINDOW - this.window);
    this.window = CONNECTION_WINDOW;
  }

  /** Of a stream that goes on; whether it has overrun its window was looked at before. */
  stream(stream: Stream): void {
    if (stream.receiveWindow > STREAM_WINDOW / 2) return;
    this.update(stream.id, STREAM_WINDOW - stream.receiveWindow);
    stream.receiveWindow = STREAM_WINDOW;
  }

  private update(id: number, increment: number): void {
    this.output.write(frame(WINDOW_UPDATE, 0, id, uint32(increment)));
  }
}
