// The sheet of keys.

import { Fragment } from "react";

import { Dialog } from "../components/dialog";
import { strings } from "../strings";

export default function Shortcuts({ onClose }: { onClose: () => void }) {
  return (
    <Dialog title={strings.shortcuts.title} onClose={onClose}>
      <dl className="shortcuts">
        {strings.shortcuts.items.map(([key, what]) => (
          <Fragment key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{what}</dd>
          </Fragment>
        ))}
      </dl>
    </Dialog>
  );
}
