// One control beside the list: its assets, their objects, and people's answers with the evidence for them.

import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { type FormEvent, useEffect, useRef, useState } from "react";

import { api, ApiError, data, done } from "../api/client";
import { controlAssetsQuery, controlObjectsQuery } from "../api/estate-queries";
import { attestationsQuery } from "../api/host-queries";
import { keys } from "../api/queries";
import type { Compliance, ComplianceAsset, ComplianceControl } from "../api/types";
import { AssetLink } from "../components/asset-link";
import { Time } from "../components/bits";
import { ControlStatus } from "../components/control-status";
import { Choice } from "../components/filter-bar";
import { Icon } from "../components/icon";
import { ErrorState, FormError, Skeleton } from "../components/states";
import { VERDICTS, VerdictWords } from "../components/verdict-counts";
import { estateStrings } from "../estate-strings";
import type { ComplianceSearch } from "../lib/estate-filters";
import { useHotkeys } from "../lib/hotkeys";
import { notify } from "../lib/messages";
import { useMay } from "../lib/role";
import { strings } from "../strings";
import "./finding-pane.css";

const t = estateStrings.compliance.pane;
const statuses = estateStrings.compliance.statuses;
const MOST_EVIDENCE = 65_536;

interface Props {
  compliance: Compliance;
  control: ComplianceControl;
  search: ComplianceSearch;
  onClose: () => void;
}

export function ControlPane({ compliance, control, search, onClose }: Props) {
  const heading = useRef<HTMLHeadingElement>(null);
  useHotkeys({ Escape: onClose });
  useEffect(() => heading.current?.focus({ preventScroll: true }), [control.id]);
  // Closing it gives the focus back to the row it came from.
  const row = useRef<string>(undefined);
  useEffect(() => {
    row.current = document.querySelector("tr[aria-current]")?.getAttribute("data-index") ?? row.current;
  });
  useEffect(
    () => () => {
      const link = document.querySelector<HTMLElement>(`tr[data-index="${row.current}"] [data-row-link]`);
      link?.focus({ preventScroll: true });
    },
    [],
  );
  return (
    <aside className="pane" aria-label={`${t.label} ${control.id}`}>
      <header className="pane-header">
        <h2 ref={heading} tabIndex={-1}>
          {compliance.benchmark} {control.id}
        </h2>
        <button type="button" className="button icon-button" aria-label={strings.common.close} onClick={onClose}>
          <Icon name="close" />
        </button>
      </header>
      <div className="pane-body">
        <p className="pane-title">{control.title}</p>
        <p className="pane-rating">
          <span className="tag">
            {t.level} {control.level}
          </span>
          <span className="muted">{control.assessment === "manual" ? t.manual : t.automated}</span>
        </p>
        <p>
          <VerdictWords counts={control.counts} />
        </p>
        {control.ask != null && (
          <section>
            <h3>{t.ask}</h3>
            <p>{control.ask}</p>
            {control.max_age_days != null && <p className="muted">{t.holds(control.max_age_days)}</p>}
          </section>
        )}
        <Assets compliance={compliance} control={control} search={search} />
      </div>
    </aside>
  );
}

function Assets({ compliance, control, search }: Omit<Props, "onClose">) {
  const first = VERDICTS.find((kind) => control.counts[kind] > 0);
  const [status, setStatus] = useState<string>(search.status?.split(",").find((kind) => kind in control.counts) ?? first ?? "");
  const query = useInfiniteQuery(controlAssetsQuery(compliance.benchmark, control.id, { ...search, version: compliance.version }, status || undefined));
  const assets = query.data?.pages.flatMap((page) => page.assets) ?? [];
  return (
    <section>
      <h3>{t.assets}</h3>
      <Choice
        label={estateStrings.compliance.status}
        value={status}
        options={[["", t.anyStatus], ...VERDICTS.map((kind) => [kind, statuses[kind]] as const)]}
        onChange={setStatus}
      />
      {query.isError ? (
        <ErrorState error={query.error} retry={() => void query.refetch()} />
      ) : query.isPending ? (
        <Skeleton rows={3} />
      ) : assets.length === 0 ? (
        <p className="muted">{t.noAssets}</p>
      ) : (
        assets.map((asset) => <Asset key={asset.id} asset={asset} compliance={compliance} control={control} />)
      )}
      {query.hasNextPage && (
        <button type="button" className="button" disabled={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
          {t.more}
        </button>
      )}
    </section>
  );
}

interface AssetProps {
  asset: ComplianceAsset;
  compliance: Compliance;
  control: ComplianceControl;
}

function Asset({ asset, compliance, control }: AssetProps) {
  const [isOpen, setOpen] = useState(false);
  return (
    <details className="control-object" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary className="control-object-name">
        <span>{asset.name}</span>
        <ControlStatus status={asset.status} />
      </summary>
      {isOpen && (
        <>
          {asset.reason != null && <p>{asset.reason}</p>}
          <p className="muted">
            <AssetLink id={asset.id} name={asset.name} /> · <Time at={asset.since} /> ·{" "}
            <Link to="/compliance/$benchmark" params={{ benchmark: compliance.benchmark }} search={{ version: compliance.version, asset: String(asset.id) }}>
              {estateStrings.compliance.clearAsset(asset.name)}
            </Link>
          </p>
          <Objects asset={asset} compliance={compliance} control={control} />
          {(control.ask != null || control.check == null) && <Answers asset={asset} compliance={compliance} control={control} />}
        </>
      )}
    </details>
  );
}

function Objects({ asset, compliance, control }: AssetProps) {
  const { data, error, refetch } = useQuery(controlObjectsQuery(compliance.benchmark, control.id, compliance.version, asset.id));
  if (error !== null) return <ErrorState error={error} retry={() => void refetch()} />;
  if (data === undefined) return <Skeleton rows={2} />;
  if (data.objects.length === 0) return <p className="muted">{t.noObjects}</p>;
  const failed = data.objects.filter(({ status }) => status === "fail").length;
  return (
    <>
      <ul className="object-list">
        {data.objects.map((object, at) => (
          <li key={at}>
            <span className="control-object-name">
              <span>{object.name}</span>
              <ControlStatus status={object.status} />
            </span>
            {object.actual !== "" && (
              <p>
                <span className="muted">{t.found}</span> {object.actual}
              </p>
            )}
            {object.status === "fail" && object.expected !== "" && (
              <p>
                <span className="muted">{t.wanted}</span> {object.expected}
              </p>
            )}
            {object.reason != null && <p className="muted">{object.reason}</p>}
          </li>
        ))}
      </ul>
      {data.failed > failed && <p className="muted">{t.moreObjects(data.failed)}</p>}
    </>
  );
}

function Answers({ asset, compliance, control }: AssetProps) {
  const client = useQueryClient();
  const mayAnswer = useMay("security_admin");
  const { data: list } = useQuery(attestationsQuery(asset.id));
  const refresh = (text: string) => {
    notify(text);
    return client.invalidateQueries({ queryKey: keys.posture });
  };
  const create = useMutation({
    meta: { showsError: true },
    mutationFn: async (fields: FormData) => {
      const file = fields.get("evidence");
      const day = String(fields.get("until"));
      const hasFile = file instanceof File && file.size > 0;
      if (hasFile && file.size > MOST_EVIDENCE) throw new ApiError(413, "too_large", t.tooLarge);
      const body = {
        host: asset.id,
        benchmark: compliance.benchmark,
        version: compliance.version,
        control: control.id,
        status: String(fields.get("answer")),
        reason: String(fields.get("reason")).trim(),
        until: day === "" ? undefined : `${day}T00:00:00Z`,
        ...(hasFile ? { evidence: { name: file.name, text: await file.text() } } : {}),
      };
      await data(api.POST("/api/v1/attestations", { body }));
    },
    onSuccess: () => refresh(t.saved),
  });
  const remove = useMutation({
    mutationFn: (id: number) => done(api.DELETE("/api/v1/attestations/{id}", { params: { path: { id } } })),
    onSuccess: () => refresh(t.takenBack),
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    create.mutate(new FormData(form), { onSuccess: () => form.reset() });
  };
  const said = (list?.attestations ?? []).filter(
    (one) => one.control === control.id && one.version === compliance.version && one.benchmark === compliance.benchmark,
  );
  return (
    <section aria-label={t.evidence}>
      <h3>{t.evidence}</h3>
      <ul className="control-said">
        {said.map(({ id, reason, author, created, expires, evidence_name }) => (
          <li key={id}>
            <span>
              {reason}{" "}
              {evidence_name != null && (
                <a href={`/api/v1/attestations/${id}/evidence`} download={evidence_name}>
                  {evidence_name}
                </a>
              )}{" "}
              <span className="muted">
                {author}, <Time at={created} />
                {expires != null && `, ${t.untilDay(expires.slice(0, 10))}`}
              </span>
            </span>
            {mayAnswer && (
              <button type="button" className="button is-small" disabled={remove.isPending} onClick={() => remove.mutate(id)}>
                {t.takeBack}
              </button>
            )}
          </li>
        ))}
      </ul>
      {mayAnswer ? (
        <form className="control-form" onSubmit={submit} aria-label={t.answerFor(asset.name)}>
          <label className="field">
            {t.answer}
            <select name="answer" defaultValue="pass">
              {(["pass", "fail", "not_applicable"] as const).map((answer) => (
                <option key={answer} value={answer}>
                  {t.answers[answer]}
                </option>
              ))}
            </select>
          </label>
          <label className="field">
            {t.reason}
            <input className="input" name="reason" maxLength={2000} required autoComplete="off" />
          </label>
          <label className="field">
            {t.until}
            <input className="input" name="until" type="date" min={new Date(Date.now() + 86_400_000).toISOString().slice(0, 10)} />
          </label>
          <label className="field">
            {t.file}
            <input className="input" name="evidence" type="file" accept="text/*,.txt,.log,.md,.csv,.json,.yaml,.yml" />
          </label>
          <button type="submit" className="button" disabled={create.isPending}>
            {t.save}
          </button>
          <FormError error={create.error} />
        </form>
      ) : (
        <p className="muted">{t.forbidden}</p>
      )}
    </section>
  );
}
