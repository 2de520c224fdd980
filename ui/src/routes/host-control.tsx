// One control beside the list: what was found, what is wanted, how it is mended, and what people say of it.

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import type { FormEvent } from "react";

import { api, data, done } from "../api/client";
import { attestationsQuery, exceptionsQuery } from "../api/host-queries";
import { keys } from "../api/queries";
import type { HostDetail, ReportControl, ReportObject } from "../api/types";
import { CopyButton, Time } from "../components/bits";
import { ControlStatus } from "../components/control-status";
import { ExternalLink } from "../components/external-link";
import { Markdown } from "../components/markdown";
import { Pane } from "../components/pane";
import { SeverityLabel } from "../components/severity";
import { FormError } from "../components/states";
import { hostStrings } from "../host-strings";
import { notify } from "../lib/messages";
import { useMay } from "../lib/role";
import { asSeverity } from "../lib/severity";

const t = hostStrings.control;

interface Props {
  /** The host or cluster. */
  host: Pick<HostDetail, "id" | "name">;
  control: ReportControl;
  onClose: () => void;
}

export function ControlPane({ host, control, onClose }: Props) {
  const { remedy, reason } = control;
  const daemon = remedy == null || Object.keys(remedy.daemon).length === 0 ? undefined : JSON.stringify(remedy.daemon, null, 2);
  return (
    <Pane label={`${t.label} ${control.id}`} title={`${control.benchmark} ${control.id}`} of={control.id} onClose={onClose}>
      <p className="pane-title">{control.title}</p>
      <p className="pane-rating">
        <ControlStatus status={control.status} />
        {control.severity != null && <SeverityLabel severity={asSeverity(control.severity)} />}
        <span className="tag">
          {hostStrings.host.level} {control.level}
        </span>
      </p>
      {reason != null && <p>{reason}</p>}
      {remedy != null && (
        <>
          <section className="remedy">
            <h3>{t.remedy}</h3>
            <Markdown source={remedy.text} />
            {daemon !== undefined && <Code name={t.daemon} text={daemon} />}
            {remedy.impact != null && (
              <p>
                <strong>{t.impact}:</strong> {remedy.impact}
              </p>
            )}
          </section>
          <section>
            <h3>{t.why}</h3>
            <Markdown source={remedy.why} />
          </section>
        </>
      )}
      <ControlObjects control={control} />
      <Statements host={host} control={control} />
      {remedy != null && remedy.references.length > 0 && (
        <section>
          <h3>{t.references}</h3>
          <ul>
            {remedy.references.map((address) => (
              <li key={address}>
                <ExternalLink href={address}>{address}</ExternalLink>
              </li>
            ))}
          </ul>
        </section>
      )}
    </Pane>
  );
}

function Code({ name, text }: { name: string; text: string }) {
  return (
    <div>
      <span className="muted">{name}</span>
      <div className="control-code">
        <pre>{text}</pre>
        <CopyButton text={text} what={name} />
      </div>
    </div>
  );
}

function ControlObjects({ control: { objects, unlisted = 0 } }: { control: ReportControl }) {
  return <Objects objects={objects} unlisted={unlisted} />;
}

/** In a cluster many objects have the same name: kind and namespace tell them apart. */
const named = ({ kind, id, name }: ReportObject): string => (kind.startsWith("kubernetes.") && id.includes("/") ? id : name);

/** What was judged, what was found of it, and what is wanted. */
export function Objects({ objects, unlisted }: { objects: ReportObject[]; unlisted: number }) {
  if (objects.length === 0) return null;
  const failedFirst = [...objects].sort((a, b) => Number(b.status === "fail") - Number(a.status === "fail"));
  return (
    <section>
      <h3>{t.objects}</h3>
      {failedFirst.slice(0, 200).map((object) => (
        <div key={`${object.check} ${object.kind} ${object.id}`} className="control-object">
          <div className="control-object-name">
            <span>{named(object)}</span>
            <ControlStatus status={object.status} />
          </div>
          {object.messages.map((message, at) => (
            <p key={at}>{message}</p>
          ))}
          {object.actual !== "" && !object.messages.includes(object.actual) && (
            <p>
              <span className="muted">{t.actual}</span> {object.actual}
            </p>
          )}
          {object.expected !== "" && (
            <p>
              <span className="muted">{t.expected}</span> {object.expected}
            </p>
          )}
          {object.reason != null && <p className="muted">{object.reason}</p>}
          {object.command != null && <Code name={t.command} text={object.command} />}
          {object.evidence.length > 0 && (
            <details>
              <summary>{t.evidence}</summary>
              <div className="control-code">
                <pre>{JSON.stringify(object.evidence, null, 2)}</pre>
              </div>
            </details>
          )}
        </div>
      ))}
      {unlisted > 0 && <p className="muted">{t.unlisted(unlisted)}</p>}
    </section>
  );
}

/** Exceptions and attestations of this control, and the form for another one. */
function Statements({ host, control }: { host: Pick<HostDetail, "id" | "name">; control: ReportControl }) {
  const client = useQueryClient();
  const maySay = useMay("security_admin");
  const exceptions = useQuery(exceptionsQuery);
  const attestations = useQuery(attestationsQuery(host.id));
  const isOpen = control.check == null || control.status === "needs_review";
  const mayFail = control.check != null && ["fail", "needs_review", "excepted"].includes(control.status);
  const refresh = (text: string) => {
    notify(text);
    return client.invalidateQueries({ queryKey: keys.posture });
  };
  const create = useMutation({
    meta: { showsError: true },
    mutationFn: async (fields: FormData) => {
      const reason = String(fields.get("reason")).trim();
      const days = Number(fields.get("days") ?? 0);
      const expires = days === 0 ? undefined : new Date(Date.now() + days * 86_400_000).toISOString();
      if (isOpen) {
        const { benchmark, version, id } = control;
        const body = { host: host.id, benchmark, version, control: id, status: String(fields.get("answer")), reason, until: expires };
        await data(api.POST("/api/v1/attestations", { body }));
      } else {
        const body = { check: control.check ?? "", asset: host.name, object: String(fields.get("object")) || undefined, reason, expires };
        await data(api.POST("/api/v1/exceptions", { body }));
      }
    },
    onSuccess: () => refresh(t.saved),
  });
  const remove = useMutation({
    mutationFn: ({ kind, id }: { kind: "exceptions" | "attestations"; id: number }) =>
      kind === "exceptions"
        ? done(api.DELETE("/api/v1/exceptions/{id}", { params: { path: { id } } }))
        : done(api.DELETE("/api/v1/attestations/{id}", { params: { path: { id } } })),
    onSuccess: () => refresh(t.takenBack),
  });
  const said = [
    ...(exceptions.data?.exceptions ?? [])
      .filter(({ check }) => check === control.check)
      .map(({ id, reason, author, created, expires }) => ({ kind: "exceptions" as const, id, text: reason, author, created, expires, evidence: null })),
    ...(attestations.data?.attestations ?? [])
      .filter((one) => one.control === control.id && one.version === control.version && one.benchmark === control.benchmark)
      .map(({ id, reason, author, created, expires, evidence_name }) => ({
        kind: "attestations" as const,
        id,
        text: reason,
        author,
        created,
        expires,
        evidence: evidence_name,
      })),
  ];
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    create.mutate(new FormData(form), { onSuccess: () => form.reset() });
  };
  return (
    <>
      {said.length > 0 && (
        <section>
          <h3>{t.said}</h3>
          <ul className="control-said">
            {said.map(({ kind, id, text, author, created, expires, evidence }) => (
              <li key={`${kind} ${id}`}>
                <span>
                  {text}{" "}
                  {evidence != null && (
                    <a href={`/api/v1/attestations/${id}/evidence`} download={evidence}>
                      {evidence}
                    </a>
                  )}{" "}
                  <span className="muted">
                    {author}, <Time at={created} />
                    {expires != null && `, ${t.until.toLowerCase()} ${expires.slice(0, 10)}`}
                  </span>
                </span>
                {maySay && (
                  <button type="button" className="button" disabled={remove.isPending} onClick={() => remove.mutate({ kind, id })}>
                    {t.takeBack}
                  </button>
                )}
              </li>
            ))}
          </ul>
        </section>
      )}
      {(isOpen || mayFail) && (
        <section>
          <h3>{isOpen ? t.attest : t.except}</h3>
          {!maySay ? (
            <p className="muted">{t.forbidden}</p>
          ) : (
            <form key={control.id} className="control-form" onSubmit={submit}>
              <p className="muted">{isOpen ? t.attestLead : t.exceptLead}</p>
              {isOpen ? (
                <>
                  <label className="field">
                    {t.answer}
                    <select name="answer" defaultValue="pass">
                      {(["pass", "fail", "not_applicable"] as const).map((status) => (
                        <option key={status} value={status}>
                          {hostStrings.host.statuses[status]}
                        </option>
                      ))}
                    </select>
                  </label>
                  <label className="field">
                    {t.holds}
                    <select name="days" defaultValue="0">
                      {(["0", "30", "90", "180"] as const).map((days) => (
                        <option key={days} value={days}>
                          {t.answerDays[days]}
                        </option>
                      ))}
                    </select>
                  </label>
                </>
              ) : (
                <>
                  <label className="field">
                    {hostStrings.host.columns.objects}
                    <select name="object" defaultValue="">
                      <option value="">{hostStrings.hosts.any}</option>
                      {[...new Set(control.objects.filter(({ status }) => status === "fail").map(({ name }) => name))].map((name) => (
                        <option key={name} value={name}>
                          {name}
                        </option>
                      ))}
                    </select>
                  </label>
                  <label className="field">
                    {t.until}
                    <select name="days" defaultValue="90">
                      {(["30", "90", "365", "0"] as const).map((days) => (
                        <option key={days} value={days}>
                          {t.days[days]}
                        </option>
                      ))}
                    </select>
                  </label>
                </>
              )}
              <label className="field">
                {t.reason}
                <input className="input" name="reason" maxLength={2000} required autoComplete="off" />
              </label>
              <button type="submit" className="button" disabled={create.isPending}>
                {t.save}
              </button>
              <FormError error={create.error} />
            </form>
          )}
        </section>
      )}
    </>
  );
}
