// A button that lets people choose files of their machine.

import { useRef } from "react";
import { Icon } from "./icon";

interface Props {
  /** Which files can be chosen, as `accept` of HTML has it. */
  accept: string;
  /** What the button is called. */
  label: string;
  /** What stands on it, if that is something else now. */
  text?: string;
  multiple?: boolean;
  disabled?: boolean;
  onPick: (files: FileList) => void;
}

/** The browser's own input cannot be styled, so it stays out of sight behind a button. */
export function FilePicker({ accept, label, text = label, multiple = false, disabled = false, onPick }: Props) {
  const picker = useRef<HTMLInputElement>(null);
  return (
    <>
      <input
        ref={picker}
        type="file"
        multiple={multiple}
        accept={accept}
        className="visually-hidden"
        tabIndex={-1}
        aria-label={label}
        onChange={(event) => {
          if (event.target.files !== null) onPick(event.target.files);
          // The same file may be chosen again.
          event.target.value = "";
        }}
      />
      <button type="button" className="button" disabled={disabled} onClick={() => picker.current?.click()}>
        <Icon name="upload" />
        {text}
      </button>
    </>
  );
}
