// The foot of the sidebar: how old the advisories are, who is signed in, theme and help.

import { Link } from "@tanstack/react-router";

import type { Session, Status } from "../api/types";
import { Icon } from "../components/icon";
import { duration } from "../lib/format";
import { CHOICES, setPreference, usePreferences } from "../lib/preferences";
import { isStale } from "../lib/stale";
import { strings } from "../strings";

interface Props {
  status: Status | undefined;
  session: Session | undefined;
  onHelp: () => void;
}

const THEME_ICONS = { system: "system", light: "sun", dark: "moon" } as const;

export function ShellFooter({ status, session, onHelp }: Props) {
  const { theme } = usePreferences();
  const next = CHOICES.theme[(CHOICES.theme.indexOf(theme) + 1) % CHOICES.theme.length] ?? "system";
  const themeLabel = `${strings.settings.appearance.theme}: ${strings.settings.appearance.themes[theme]}`;
  return (
    <div className="sidebar-foot">
      {status !== undefined && <DatabaseAge status={status} />}
      <div className="sidebar-row">
        <Link to="/settings" className="who" title={strings.settings.title}>
          {session?.user.name}
        </Link>
        <button
          type="button"
          className="button icon-button"
          aria-label={themeLabel}
          title={themeLabel}
          onClick={() => setPreference("theme", next)}
        >
          <Icon name={THEME_ICONS[theme]} />
        </button>
        <button
          type="button"
          className="button icon-button"
          aria-label={strings.shortcuts.title}
          title={strings.shortcuts.title}
          onClick={onHelp}
        >
          <Icon name="help" />
        </button>
      </div>
    </div>
  );
}

function DatabaseAge({ status: { database, rematching } }: { status: Status }) {
  const age = Date.now() - Date.parse(database.built);
  const isStarter = database.kind === "starter";
  const isOld = isStale(database.built, Date.now());
  return (
    <Link
      to="/settings"
      className={isStarter || isOld ? "database-age is-warning" : "database-age"}
      title={isOld ? strings.footer.stale(duration(age)) : undefined}
    >
      {(isStarter || isOld) && <Icon name="warning" />}
      <span>
        {strings.footer.database}: {isStarter ? strings.footer.starter : duration(age)}
        {rematching && <span className="block">{strings.footer.rematching}</span>}
        {isOld && <span className="visually-hidden">{strings.footer.stale(duration(age))}</span>}
      </span>
    </Link>
  );
}
