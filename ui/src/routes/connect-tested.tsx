// What came of trying a connector's credentials.

import type { ConnectorTest } from "../api/types";
import { cloudStrings } from "../cloud-strings";

const t = cloudStrings.connect;

export function Tested({ test }: { test: ConnectorTest }) {
  return (
    <div className="connect-tested" role="status">
      <p>
        <span className="connect-sign" aria-hidden="true">
          {test.ok ? "✓" : "✕"}
        </span>
        {test.ok ? t.tested(test.subscriptions.length) : `${t.notTested} ${test.problem ?? ""}`}
      </p>
      <ul>
        {test.subscriptions.map(({ id, name, state }) => (
          <li key={id}>
            {name || id} <span className="muted">{[name === "" ? "" : id, state].filter((one) => one !== "").join(", ")}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}
