// The ways between the pages about alerts.

import { Link } from "@tanstack/react-router";

import { alertStrings } from "../alert-strings";
import "./alerts.css";
import "./image.css";

const t = alertStrings.alerts;
const CURRENT = { className: "is-current" };

export function AlertTabs() {
  return (
    <nav className="tabs" aria-label={t.tabs}>
      <Link to="/alerts" search={{}} className="tab" activeProps={CURRENT} activeOptions={{ exact: true, includeSearch: false }}>
        {t.title}
      </Link>
      <Link to="/incidents" search={{}} className="tab" activeProps={CURRENT} activeOptions={{ includeSearch: false }}>
        {t.incidents}
      </Link>
      <Link to="/suppressions" className="tab" activeProps={CURRENT}>
        {t.suppressions}
      </Link>
      <Link to="/audit" className="tab" activeProps={CURRENT}>
        {t.sources}
      </Link>
      <Link to="/intel" className="tab" activeProps={CURRENT}>
        {t.intel}
      </Link>
    </nav>
  );
}
