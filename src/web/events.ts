import type { ServerResponse } from "node:http";

export interface EventsOptions {
  /** What an event `status` says, or undefined: there is nothing to say yet. */
  read(): Promise<unknown>;
  everyMs?: number;
  heartbeatMs?: number;
  /** Viewers at once; more are refused. */
  most?: number;
  /** The last viewer left. */
  onLast?(): void;
}

/** A viewer that has not taken so many bytes is dropped: it may come again. */
const mostUnread = 4 * 1024 * 1024;

export interface Events {
  /** Takes a response over as a stream of events. */
  add(response: ServerResponse): void;
  /** Sends an event to all viewers. */
  tell(event: string, data: unknown): void;
  readonly viewers: number;
  close(): void;
}

/**
 * Server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html): the status each second, read once for
 * all viewers and not at all while there is none, and a comment now and then, so that whoever stands between knows that
 * the connection lives.
 */
export function createEvents(options: EventsOptions): Events {
  const { read, everyMs = 1_000, heartbeatMs = 15_000, most = 32, onLast } = options;
  const viewers = new Set<ServerResponse>();
  let ticking: NodeJS.Timeout | undefined;
  let beating: NodeJS.Timeout | undefined;
  let isReading = false;

  const write = (viewer: ServerResponse, text: string): void => {
    if (viewer.writableLength > mostUnread) viewer.destroy();
    else viewer.write(text);
  };
  const toAll = (text: string): void => {
    for (const viewer of viewers) write(viewer, text);
  };
  const tick = async (): Promise<void> => {
    if (isReading) return;
    isReading = true;
    try {
      const status = await read();
      if (status !== undefined) toAll(eventText("status", status));
    } catch (error) {
      toAll(eventText("unavailable", { error: (error as Error).message }));
    } finally {
      isReading = false;
    }
  };
  const left = (viewer: ServerResponse): void => {
    if (!viewers.delete(viewer) || viewers.size > 0) return;
    clearInterval(ticking);
    clearInterval(beating);
    onLast?.();
  };

  return {
    add(response) {
      if (viewers.size >= most) {
        response.writeHead(503, { "content-type": "text/plain; charset=utf-8", "retry-after": "5" });
        response.end("too many viewers\n");
        return;
      }
      response.writeHead(200, {
        "content-type": "text/event-stream; charset=utf-8",
        // A proxy that gathers would show nothing: https://nginx.org/en/docs/http/ngx_http_proxy_module.html
        "x-accel-buffering": "no",
      });
      response.write("retry: 2000\n\n");
      response.on("close", () => left(response));
      viewers.add(response);
      if (viewers.size === 1) {
        ticking = setInterval(() => void tick(), everyMs);
        beating = setInterval(() => toAll(": still here\n\n"), heartbeatMs);
      }
      void tick();
    },
    tell: (event, data) => toAll(eventText(event, data)),
    get viewers() {
      return viewers.size;
    },
    close() {
      for (const viewer of viewers) viewer.destroy();
    },
  };
}

function eventText(event: string, data: unknown): string {
  return `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}
