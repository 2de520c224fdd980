// Shows something once: the dialog says so, and offers to copy it.

import { strings } from "../strings";
import { CopyButton } from "./bits";
import { Dialog } from "./dialog";

/** Characters of a line in a dialog, where the browser does not fit the field to its text by itself. */
const LINE = 40;

interface Props {
  title: string;
  text: string;
  label: string;
  secret: string;
  onClose: () => void;
}

export function Secret({ title, text, label, secret, onClose }: Props) {
  return (
    <Dialog title={title} onClose={onClose}>
      <p>{text}</p>
      <div className="secret">
        {/* Whole at any width: who cannot see the end of a command does not run it. */}
        <textarea
          className="input is-mono"
          aria-label={label}
          value={secret}
          rows={Math.ceil(secret.length / LINE)}
          readOnly
          spellCheck={false}
          onFocus={(event) => event.target.select()}
        />
        <CopyButton text={secret} what={label.toLowerCase()} />
      </div>
      <div className="dialog-actions">
        <button type="button" className="button is-primary" onClick={onClose}>
          {strings.settings.tokens.done}
        </button>
      </div>
    </Dialog>
  );
}
