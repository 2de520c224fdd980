// What the server tells by itself: one stream for the whole application, so that nothing has to be polled.

import type { InfiniteData, QueryClient } from "@tanstack/react-query";

import { keys } from "./queries";
import type { Event, Scan, ScanPage } from "./types";

/** While findings are rewritten, events come in bursts: lists are asked for again at most this often. */
const CALM_MS = 2000;
/** After the browser gave up on the stream. */
const RETRY_MS = 5000;

export interface Listener {
  onScan: (scan: Scan) => void;
  onConnection: (isUp: boolean) => void;
}

/** Follows the stream until the returned function is called. */
export function follow(client: QueryClient, listener: Listener): () => void {
  let source: EventSource | undefined;
  let retry: number | undefined;
  const refresh = calmly((key) => void client.invalidateQueries({ queryKey: key }));

  const connect = () => {
    source = new EventSource("/api/v1/events");
    source.onopen = () => listener.onConnection(true);
    source.onmessage = (message: MessageEvent<string>) => {
      const event = JSON.parse(message.data) as Event;
      apply(client, event, refresh);
      if (event.type === "scan") listener.onScan(event.scan);
    };
    source.onerror = () => {
      listener.onConnection(false);
      // The browser comes back by itself, with the last id, unless the answer was an error; then asking for the
      // session tells whether we are still signed in.
      if (source?.readyState !== EventSource.CLOSED) return;
      void client.invalidateQueries({ queryKey: keys.session });
      retry = window.setTimeout(connect, RETRY_MS);
    };
  };
  connect();
  return () => {
    window.clearTimeout(retry);
    refresh.stop();
    source?.close();
  };
}

type Refresh = (key: readonly string[]) => void;

/** What an event means for what we have in store. */
export function apply(client: QueryClient, event: Event, refresh: Refresh): void {
  switch (event.type) {
    case "scan":
      client.setQueryData<InfiniteData<ScanPage>>(keys.scans, (list) => list && withScan(list, event.scan));
      // A finished scan changes the lists even if its image was known before.
      if (event.scan.finished != null) for (const key of [keys.overview, keys.images, keys.image]) refresh(key);
      return;
    case "images":
      for (const key of [keys.overview, keys.images, keys.image, keys.vex]) refresh(key);
      return;
    case "database":
      for (const key of [keys.status, keys.overview, keys.vex]) refresh(key);
      return;
    case "posture":
      refresh(keys.posture);
      return;
    case "alerts":
      refresh(keys.alerts);
      return;
    case "backtests":
      refresh(keys.backtests);
      return;
    case "reset":
      for (const key of Object.values(keys)) refresh(key);
      return;
  }
}

/** The list with `scan` in its place, or first when it is new. */
export function withScan(list: InfiniteData<ScanPage>, scan: Scan): InfiniteData<ScanPage> {
  let known = false;
  const pages = list.pages.map((page) => ({
    ...page,
    scans: page.scans.map((old) => {
      if (old.id !== scan.id) return old;
      known = true;
      // The answer to a request may come after the event that tells its end: what has ended stays so.
      return old.finished != null && scan.finished == null ? old : scan;
    }),
  }));
  const [first, ...rest] = pages;
  if (known || first === undefined) return { ...list, pages };
  return { ...list, pages: [{ ...first, scans: [scan, ...first.scans] }, ...rest] };
}

/** Calls `act` at once, then for each key at most once per `CALM_MS`; the last call is never lost. */
export function calmly(act: Refresh): Refresh & { stop: () => void } {
  const waiting = new Map<string, { timer: number; again: boolean }>();
  const call = (key: readonly string[]) => {
    const name = key.join("/");
    const entry = waiting.get(name);
    if (entry !== undefined) {
      entry.again = true;
      return;
    }
    act(key);
    const timer = window.setTimeout(() => {
      const again = waiting.get(name)?.again === true;
      waiting.delete(name);
      if (again) call(key);
    }, CALM_MS);
    waiting.set(name, { timer, again: false });
  };
  const stop = () => {
    for (const { timer } of waiting.values()) window.clearTimeout(timer);
    waiting.clear();
  };
  return Object.assign(call, { stop });
}
