// A modal window on the platform's own <dialog>: it traps focus, gives it back, and closes on Esc by itself.

import { useEffect, useId, useRef, type ReactNode } from "react";

import { strings } from "../strings";
import { Icon } from "./icon";
import "./dialog.css";

interface DialogProps {
  title: string;
  onClose: () => void;
  children: ReactNode;
  className?: string;
  /** The title is heard, not seen. */
  isBare?: boolean;
}

export function Dialog({ title, onClose, children, className = "", isBare = false }: DialogProps) {
  const element = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  useEffect(() => {
    const dialog = element.current;
    if (dialog === null) return;
    const before = document.activeElement;
    dialog.showModal();
    return () => {
      dialog.close();
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  return (
    <dialog
      ref={element}
      className={`dialog ${className}`}
      aria-labelledby={titleId}
      onCancel={(event) => {
        // The owner closes it, by no longer rendering it.
        event.preventDefault();
        onClose();
      }}
      onClick={(event) => {
        // The backdrop belongs to the element itself.
        if (event.target === element.current) onClose();
      }}
    >
      <div className="dialog-body">
        <header className={isBare ? "visually-hidden" : "dialog-header"}>
          <h2 id={titleId}>{title}</h2>
          {!isBare && (
            <button type="button" className="button icon-button" aria-label={strings.common.close} onClick={onClose}>
              <Icon name="close" />
            </button>
          )}
        </header>
        {children}
      </div>
    </dialog>
  );
}

interface ConfirmProps {
  title: string;
  text: string;
  verb: string;
  isBusy: boolean;
  onConfirm: () => void;
  onClose: () => void;
  /** What helps to decide. */
  children?: ReactNode;
}

/** Asks before something that cannot be undone. */
export function Confirm({ title, text, verb, isBusy, onConfirm, onClose, children }: ConfirmProps) {
  return (
    <Dialog title={title} onClose={onClose}>
      <p>{text}</p>
      {children}
      <div className="dialog-actions">
        <button type="button" className="button" onClick={onClose}>
          {strings.common.cancel}
        </button>
        <button type="button" className="button is-danger" disabled={isBusy} onClick={onConfirm}>
          {verb}
        </button>
      </div>
    </Dialog>
  );
}
