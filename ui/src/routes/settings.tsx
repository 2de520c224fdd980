// Everything about the server and the signed-in user that is not about images.

import { useQuery } from "@tanstack/react-query";

import { sessionQuery } from "../api/queries";
import { useTitle } from "../components/bits";
import { strings } from "../strings";
import { AppearanceSettings } from "./settings-appearance";
import { DatabaseSettings } from "./settings-database";
import { PasswordSettings, SessionSettings } from "./settings-session";
import { TokenSettings } from "./settings-tokens";
import { UserSettings } from "./settings-users";
import { VexSettings } from "./settings-vex";
import "./settings.css";

export function SettingsPage() {
  useTitle(strings.settings.title);
  const { data: session } = useQuery(sessionQuery);
  return (
    <div className="page settings">
      <h1>{strings.settings.title}</h1>
      <DatabaseSettings />
      <VexSettings />
      <AppearanceSettings />
      <TokenSettings />
      {session?.user.role === "owner" && <UserSettings />}
      {session != null && <PasswordSettings session={session} />}
      {session != null && <SessionSettings session={session} />}
    </div>
  );
}
