// The end of a form in a dialog: what went wrong, a way out, and the button that does it.

import type { ReactNode } from "react";

import { strings } from "../strings";
import { FormError } from "./states";

interface Props {
  error: Error | null;
  verb: string;
  isBusy: boolean;
  onClose: () => void;
  /** What else can be done, between both buttons. */
  children?: ReactNode;
}

export function FormActions({ error, verb, isBusy, onClose, children }: Props) {
  return (
    <>
      <FormError error={error} />
      <div className="dialog-actions">
        <button type="button" className="button" onClick={onClose}>
          {strings.common.cancel}
        </button>
        {children}
        <button type="submit" className="button is-primary" disabled={isBusy}>
          {verb}
        </button>
      </div>
    </>
  );
}
