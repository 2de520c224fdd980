// What a list shows when it has no rows to show: not yet, none, none left by the filters, or an error.

import { useEffect, useState, type ReactNode } from "react";

import { ApiError } from "../api/client";
import { strings } from "../strings";
import { Icon } from "./icon";
import "./states.css";

/** A skeleton in place of spinners: it says where things will be. Not at once: most answers are faster. */
export function Skeleton({ rows }: { rows: number }) {
  const [isLate, setLate] = useState(false);
  useEffect(() => {
    const timer = window.setTimeout(() => setLate(true), 150);
    return () => window.clearTimeout(timer);
  }, []);
  return (
    <div className={isLate ? "skeleton" : "skeleton is-hidden"} role="status">
      <span className="visually-hidden">{strings.common.loading}</span>
      {Array.from({ length: rows }, (_, row) => (
        <div key={row} className="skeleton-row" />
      ))}
    </div>
  );
}

interface EmptyProps {
  title: string;
  children?: ReactNode;
}

export function Empty({ title, children }: EmptyProps) {
  return (
    <div className="empty">
      <p className="empty-title">{title}</p>
      {children}
    </div>
  );
}

export interface ActiveFilter {
  label: string;
  drop: () => void;
}

/** Nothing is left by the filters: offers to drop the last one, or all. */
export function FilteredEmpty({ title, filters, clear }: { title: string; filters: ActiveFilter[]; clear: () => void }) {
  const last = filters.at(-1);
  return (
    <Empty title={title}>
      <p className="empty-actions">
        {last !== undefined && (
          <button type="button" className="button" onClick={last.drop}>
            {strings.filters.drop(last.label)}
          </button>
        )}
        {filters.length > 1 && (
          <button type="button" className="button" onClick={clear}>
            {strings.filters.clear}
          </button>
        )}
      </p>
    </Empty>
  );
}

export function ErrorState({ error, retry }: { error: Error; retry?: () => void }) {
  const forbidden = error instanceof ApiError && error.status === 403;
  return (
    <div className="empty" role="alert">
      <p className="empty-title">
        <Icon name="warning" /> {strings.errors.title}
      </p>
      <p>{forbidden ? strings.errors.forbidden : error.message}</p>
      <RequestId error={error} />
      {retry !== undefined && !forbidden && (
        <p className="empty-actions">
          <button type="button" className="button" onClick={retry}>
            {strings.common.retry}
          </button>
        </p>
      )}
    </div>
  );
}

/** The error of a form, next to its button. */
export function FormError({ error }: { error: Error | null }) {
  if (error === null) return null;
  return (
    <div className="form-error" role="alert">
      {error.message} <RequestId error={error} />
    </div>
  );
}

function RequestId({ error }: { error: Error }) {
  if (!(error instanceof ApiError) || error.requestId === undefined) return null;
  return <code className="request-id">{strings.errors.request(error.requestId)}</code>;
}
