// What surrounds every screen after sign-in: navigation, the state of the database, live news, the palette.

import { useInfiniteQuery, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, Outlet, useLocation } from "@tanstack/react-router";
import { lazy, Suspense, useEffect, useRef, useState } from "react";

import { follow } from "../api/events";
import { scansQuery, sessionQuery, statusQuery } from "../api/queries";
import { Icon, type IconName, Mark } from "../components/icon";
import { News } from "../components/news";
import { useHotkeys } from "../lib/hotkeys";
import { announce } from "../lib/messages";
import { ScanNews } from "../lib/scan-news";
import { strings } from "../strings";
import { ShellFooter } from "./shell-footer";
import "./shell.css";

const loadPalette = () => import("./palette");
const Palette = lazy(loadPalette);
const Shortcuts = lazy(() => import("./shortcuts"));

const PAGES: { to: "/" | "/images" | "/hosts" | "/clusters" | "/kubernetes/admission" | "/recommendations" | "/alerts" | "/compliance" | "/sensors" | "/scans" | "/connect" | "/settings"; icon: IconName; name: string }[] = [
  { to: "/", icon: "overview", name: strings.nav.overview },
  { to: "/images", icon: "images", name: strings.nav.images },
  { to: "/hosts", icon: "hosts", name: strings.nav.hosts },
  { to: "/clusters", icon: "clusters", name: strings.nav.clusters },
  { to: "/kubernetes/admission", icon: "admission", name: strings.nav.admission },
  { to: "/recommendations", icon: "recommendations", name: strings.nav.recommendations },
  { to: "/alerts", icon: "alerts", name: strings.nav.alerts },
  { to: "/compliance", icon: "compliance", name: strings.nav.compliance },
  { to: "/sensors", icon: "sensors", name: strings.nav.sensors },
  { to: "/scans", icon: "scans", name: strings.nav.scans },
  { to: "/connect", icon: "connect", name: strings.nav.connect },
  { to: "/settings", icon: "settings", name: strings.nav.settings },
];

type Overlay = "palette" | "shortcuts" | undefined;

/** Pages that stand under another one in the navigation. */
const UNDER_ALERTS = ["/incidents", "/suppressions", "/detections", "/audit", "/intel"];

export function Shell() {
  const isUnderAlerts = useLocation({ select: ({ pathname }) => UNDER_ALERTS.includes(`/${pathname.split("/")[1] ?? ""}`) });
  const [overlay, setOverlay] = useState<Overlay>();
  const isConnected = useEvents();
  const main = useFocusOnNavigation();
  const { data: session } = useQuery(sessionQuery);
  const { data: status } = useQuery(statusQuery);
  const { data: scans } = useInfiniteQuery(scansQuery);
  const running = scans?.pages.flatMap((page) => page.scans).filter((scan) => scan.finished == null).length ?? 0;
  useHotkeys({
    "mod+k": () => setOverlay("palette"),
    "?": () => setOverlay("shortcuts"),
  });
  // Whoever types right behind Ctrl K must not lose the first letters to a download.
  useEffect(() => {
    const timer = window.setTimeout(() => void loadPalette(), 2000);
    return () => window.clearTimeout(timer);
  }, []);
  return (
    <div className="shell">
      <a className="skip-link" href="#main">
        {strings.nav.skip}
      </a>
      <header className="sidebar">
        <Link to="/" className="brand">
          <Mark />
          {strings.product}
        </Link>
        <button type="button" className="palette-button" onClick={() => setOverlay("palette")}>
          <Icon name="search" />
          <span>{strings.nav.palette}</span>
          <kbd aria-hidden="true">Ctrl K</kbd>
        </button>
        <nav aria-label={strings.nav.label}>
          {PAGES.map(({ to, icon, name }) => (
            <Link
              key={to}
              to={to}
              {...(to === "/alerts" && isUnderAlerts ? { className: "nav-link active", "aria-current": "true" as const } : { className: "nav-link" })}
              activeOptions={{ exact: to === "/", includeSearch: false }}
            >
              <Icon name={icon} />
              <span>{name}</span>
              {to === "/scans" && running > 0 && (
                <span className="nav-badge" title={strings.nav.running(running)}>
                  <span aria-hidden="true">{running}</span>
                  <span className="visually-hidden">{strings.nav.running(running)}</span>
                </span>
              )}
            </Link>
          ))}
        </nav>
        <ShellFooter status={status} session={session ?? undefined} onHelp={() => setOverlay("shortcuts")} />
      </header>
      <main id="main" ref={main} tabIndex={-1}>
        {!isConnected && (
          <div className="banner is-quiet" role="status">
            <Icon name="warning" />
            <p>{strings.common.offline}</p>
          </div>
        )}
        <Outlet />
      </main>
      <News />
      <Suspense fallback={null}>
        {overlay === "palette" && (
          <Palette onClose={() => setOverlay(undefined)} onShortcuts={() => setOverlay("shortcuts")} />
        )}
        {overlay === "shortcuts" && <Shortcuts onClose={() => setOverlay(undefined)} />}
      </Suspense>
    </div>
  );
}

/** Follows the server's events while somebody is signed in; false while the stream is down. */
function useEvents(): boolean {
  const client = useQueryClient();
  const [isUp, setUp] = useState(true);
  useEffect(() => {
    const news = new ScanNews();
    return follow(client, {
      onConnection: setUp,
      onScan: (scan) => {
        const text = news.hear(scan, Date.now());
        if (text !== undefined) announce(text);
      },
    });
  }, [client]);
  return isUp;
}

/** A new screen begins at its top for those who do not see it, too. */
function useFocusOnNavigation() {
  const main = useRef<HTMLElement>(null);
  const pathname = useLocation({ select: (location) => location.pathname });
  const before = useRef(pathname);
  useEffect(() => {
    if (before.current === pathname) return;
    before.current = pathname;
    main.current?.focus({ preventScroll: true });
  }, [pathname]);
  return main;
}
