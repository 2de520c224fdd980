// What may enter clusters: the policy by recommendation, the webhooks that answer by it, and what they decided.

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { useState, type ReactNode } from "react";

import { admissionStrings as t } from "../admission-strings";
import { admissionDecisionsQuery, admissionPoliciesQuery, admissionRulesQuery } from "../api/admission-queries";
import { ApiError } from "../api/client";
import { keys } from "../api/queries";
import type { AdmissionActivity, AdmissionGate, AdmissionPolicy, AdmissionRule } from "../api/types";
import { CopyButton, Time, useTitle } from "../components/bits";
import { Confirm } from "../components/dialog";
import { Icon } from "../components/icon";
import { SeverityLabel } from "../components/severity";
import { Empty, ErrorState, FormError, Skeleton } from "../components/states";
import { hasCome, isWaiting, MODES, policyMode, ruleOf, withMode, type Mode } from "../lib/admission";
import { count } from "../lib/format";
import { notify } from "../lib/messages";
import { useMay } from "../lib/role";
import { asSeverity } from "../lib/severity";
import { putPolicy } from "./admission-change";
import { PolicyDialog } from "./admission-policy";
import { RuleDialog } from "./admission-rule";
import { Trial } from "./admission-trial";
import "./admission.css";
import "./hosts.css";
import "./image.css";

const route = getRouteApi("/app/kubernetes/admission");

export function AdmissionPage() {
  useTitle(t.title);
  const { cluster } = route.useSearch();
  const policies = useQuery(admissionPoliciesQuery);
  const rules = useQuery(admissionRulesQuery);
  const activity = useQuery(admissionDecisionsQuery(cluster));
  const all = policies.data?.policies;
  const policy = all?.find((one) => (one.cluster ?? undefined) === cluster) ?? all?.find((one) => one.cluster == null);
  const failed = [policies, rules, activity].find((query) => query.isError);
  return (
    <div className="page">
      <div className="page-head">
        <h1>{t.title}</h1>
        {all !== undefined && <ClusterPicker policies={all} activity={activity.data} cluster={cluster} />}
      </div>
      <p className="muted">{t.lead}</p>
      {failed !== undefined ? (
        <ErrorState error={failed.error} retry={() => void failed.refetch()} />
      ) : policy === undefined || rules.data === undefined || activity.data === undefined ? (
        <Skeleton rows={8} />
      ) : (
        <>
          <Gates activity={activity.data} />
          <Rules policy={policy} cluster={cluster} rules={rules.data.rules} activity={activity.data} />
          <Samples activity={activity.data} />
        </>
      )}
    </div>
  );
}

interface PickerProps {
  policies: AdmissionPolicy[];
  activity: AdmissionActivity | undefined;
  cluster: string | undefined;
}

/** Clusters that have a policy of their own, or a webhook. */
function ClusterPicker({ policies, activity, cluster }: PickerProps) {
  const navigate = useNavigate();
  const named = [...policies.map((one) => one.cluster), ...(activity?.gates.map((one) => one.cluster) ?? []), cluster];
  const names = [...new Set(named.filter((name): name is string => name != null))].sort();
  if (names.length === 0) return null;
  return (
    <label className="admission-cluster">
      <span>{t.cluster}</span>
      <select
        value={cluster ?? ""}
        onChange={(event) =>
          void navigate({ to: "/kubernetes/admission", search: { cluster: event.target.value || undefined } })
        }
      >
        <option value="">{t.allClusters}</option>
        {names.map((name) => (
          <option key={name}>{name}</option>
        ))}
      </select>
    </label>
  );
}

function Gates({ activity }: { activity: AdmissionActivity }) {
  const command = `seareeve admission --server ${window.location.origin} --cluster NAME --join-file FILE`;
  const register = "seareeve admission register | kubectl apply -f -";
  const c = t.gateColumns;
  return (
    <section className="panel" aria-labelledby="gates-title">
      <header className="panel-header">
        <h2 id="gates-title">{t.gates}</h2>
      </header>
      {activity.gates.length === 0 ? (
        <Empty title={t.noGates}>
          <p>{t.noGatesHint}</p>
          <p className="empty-actions">
            <code>{command}</code>
            <CopyButton text={command} what={t.command} />
          </p>
          <p className="empty-actions">
            <code>{register}</code>
            <CopyButton text={register} what={t.registerCommand} />
          </p>
        </Empty>
      ) : (
        <div className="table-scroll" tabIndex={0} role="group" aria-labelledby="gates-title">
          <table className="plain-table">
            <thead>
              <tr>
                <th scope="col">{c.cluster}</th>
                <th scope="col">{c.name}</th>
                <th scope="col">{c.version}</th>
                <th scope="col" className="is-end">{c.reviews}</th>
                <th scope="col">{c.policy}</th>
                <th scope="col">{c.certificate}</th>
                <th scope="col">{c.seen}</th>
              </tr>
            </thead>
            <tbody>
              {activity.gates.map((gate) => (
                <tr key={`${gate.cluster}/${gate.name}`}>
                  <td>{gate.cluster}</td>
                  <td>{gate.name}</td>
                  <td>{gate.version}</td>
                  <td className="is-end">{count(gate.reviews)}</td>
                  <td className="nowrap">
                    {gate.current == null ? t.gateStates.own : gate.current ? t.gateStates.current : t.gateStates.old}
                  </td>
                  <td>
                    <Certificate gate={gate} />
                  </td>
                  <td>
                    <Time at={gate.last_seen} />
                    {gate.away && <Warning text={t.away} />}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}

/** Until when the API server trusts a webhook, and what stands against it: when it does not, everything is let in. */
function Certificate({ gate: { certificate } }: { gate: AdmissionGate }) {
  if (certificate == null) return <span className="muted">{t.certificate.unknown}</span>;
  const { until, late_from: late, authority_until: authority, authority_late_from: authorityLate } = certificate;
  const { problem, refusals = [] } = certificate;
  const now = Date.now();
  return (
    <span className="admission-certificate">
      {until != null && (
        <span>
          {hasCome(until, now) ? t.certificate.ended : t.certificate.ends} <Time at={until} />
        </span>
      )}
      {refusals[0] !== undefined && (
        <Warning text={t.certificate.refused(refusals.map((one) => t.certificate.refusedBy(one.by, one.why)))}>
          <Time at={refusals[0].at} />
        </Warning>
      )}
      {hasCome(late, now) && <Warning text={t.certificate.late} />}
      {authority != null && hasCome(authorityLate, now) && (
        <Warning text={t.certificate.authorityLate}>
          {hasCome(authority, now) ? t.certificate.authority.ended : t.certificate.authority.ends} <Time at={authority} />
        </Warning>
      )}
      {problem != null && <Warning text={t.certificate.problem(problem)} />}
    </span>
  );
}

function Warning({ text, children }: { text: string; children?: ReactNode }) {
  return (
    <span className="admission-warning">
      <Icon name="warning" />
      <span>
        {children} {text}
      </span>
    </span>
  );
}

interface RulesProps {
  policy: AdmissionPolicy;
  cluster: string | undefined;
  rules: AdmissionRule[];
  activity: AdmissionActivity;
}

type Change = { rule: AdmissionRule; mode: Mode | undefined };

function Rules({ policy, cluster, rules, activity }: RulesProps) {
  const client = useQueryClient();
  const mayChange = useMay("security_admin");
  const [asked, setAsked] = useState<Change>();
  const [edited, setEdited] = useState<AdmissionRule>();
  const [isPolicyOpen, setPolicyOpen] = useState(false);
  const refresh = () => client.invalidateQueries({ queryKey: keys.admission });
  const save = useMutation({
    meta: { showsError: true },
    mutationFn: ({ rule, mode }: Change) => putPolicy(policy, cluster, withMode(policy.policy, rule.id, mode)),
    onSuccess: (_, { rule, mode }) => {
      notify(t.saved(rule.title, t.modes[mode ?? policyMode(policy.policy)]));
      return refresh();
    },
    // Somebody else's change is shown beside what went wrong.
    onError: () => refresh(),
    onSettled: () => setAsked(undefined),
  });
  const change = (next: Change) => (next.mode === "deny" ? setAsked(next) : save.mutate(next));
  const isConflict = save.error instanceof ApiError && save.error.status === 409;
  const c = t.ruleColumns;
  return (
    <section className="panel" aria-labelledby="rules-title">
      <header className="panel-header">
        <h2 id="rules-title">{t.rules}</h2>
        <span className="muted">{policy.author == null ? t.builtin : t.changedBy(policy.author)}</span>
        {mayChange && (
          <button type="button" className="button is-small" onClick={() => setPolicyOpen(true)}>
            {t.policySettings}
          </button>
        )}
      </header>
      {!mayChange && <p className="muted panel-note">{t.forbidden}</p>}
      {isConflict ? <p role="alert" className="panel-note">{t.conflict}</p> : <FormError error={save.error} />}
      <div className="table-scroll" tabIndex={0} role="group" aria-labelledby="rules-title">
        <table className="plain-table admission-rules">
          <thead>
            <tr>
              <th scope="col">{c.title}</th>
              <th scope="col">{c.mode}</th>
              <th scope="col">{c.decided}</th>
            </tr>
          </thead>
          <tbody>
            {rules.map((rule) => (
              <RuleRow
                key={rule.id}
                rule={rule}
                policy={policy}
                activity={activity}
                onChange={mayChange && !save.isPending ? (mode) => change({ rule, mode }) : undefined}
                onEdit={mayChange ? () => setEdited(rule) : undefined}
              />
            ))}
          </tbody>
        </table>
      </div>
      {edited !== undefined && <RuleDialog policy={policy} cluster={cluster} rule={edited} onClose={() => setEdited(undefined)} />}
      {isPolicyOpen && <PolicyDialog policy={policy} cluster={cluster} onClose={() => setPolicyOpen(false)} />}
      {asked !== undefined && (
        <Confirm
          title={t.denyTitle}
          text={t.denyText(asked.rule.title, would(activity, asked.rule.id))}
          verb={t.denyVerb}
          isBusy={save.isPending}
          onConfirm={() => save.mutate(asked)}
          onClose={() => setAsked(undefined)}
        >
          <Trial policy={withMode(policy.policy, asked.rule.id, "deny")} recommendation={asked.rule.id} />
        </Confirm>
      )}
    </section>
  );
}

/** How often something was let in that would have been refused. */
function would(activity: AdmissionActivity, id: string): number {
  const own = activity.counts.filter((one) => one.recommendation === id && ["audited", "warned"].includes(one.effect));
  return own.reduce((sum, one) => sum + one.count, 0);
}

interface RowProps {
  rule: AdmissionRule;
  policy: AdmissionPolicy;
  activity: AdmissionActivity;
  onChange: ((mode: Mode | undefined) => void) | undefined;
  onEdit: (() => void) | undefined;
}

function RuleRow({ rule, policy, activity, onChange, onEdit }: RowProps) {
  const said = ruleOf(policy.policy, rule.id);
  const own = policyMode(policy.policy);
  const waits = isWaiting(rule.waits, rule.about_scans, said);
  const left = said.excluded ?? rule.excluded_namespaces;
  return (
    <tr>
      <td>
        <span className="admission-title">
          <span>{rule.title}</span>
          <span className="admission-decided muted">
            <SeverityLabel severity={asSeverity(rule.severity)} />
            <code>{rule.id}</code>
          </span>
        </span>
      </td>
      <td className="admission-mode">
        <select
          aria-label={t.modeOf(rule.title)}
          value={said.mode ?? ""}
          data-mode={said.mode ?? own}
          disabled={onChange === undefined}
          onChange={(event) => onChange?.(MODES.find((mode) => mode === event.target.value))}
        >
          <option value="">{waits ? t.waits : t.byPolicy(t.modes[own])}</option>
          {MODES.map((mode) => (
            <option key={mode} value={mode}>
              {t.modes[mode]}
            </option>
          ))}
        </select>
        {onEdit !== undefined && (
          <button type="button" className="button" aria-label={t.editOf(rule.title)} onClick={onEdit}>
            {t.edit}
          </button>
        )}
        {said.namespaces.length > 0 && (
          <p className="muted">
            {t.inNamespaces(said.namespaces.map(([name, mode]) => `${name}: ${t.modes[mode]}`).join(", "))}
          </p>
        )}
        {left.length > 0 && (
          <p className="muted" title={left.join(", ")}>
            {t.leftOut(left)}
          </p>
        )}
      </td>
      <td>
        <Decided activity={activity} id={rule.id} />
      </td>
    </tr>
  );
}

const EFFECTS = ["denied", "warned", "audited", "unchecked"] as const;

function Decided({ activity, id }: { activity: AdmissionActivity; id: string }) {
  const own = activity.counts.filter((one) => one.recommendation === id);
  const sums = EFFECTS.map((effect) => ({
    effect,
    sum: own.filter((one) => one.effect === effect).reduce((sum, one) => sum + one.count, 0),
  })).filter(({ sum }) => sum > 0);
  if (sums.length === 0) return <span className="muted">{t.nothing}</span>;
  return (
    <span className="admission-decided">
      {sums.map(({ effect, sum }) => (
        <span key={effect} className={effect === "denied" ? "nowrap" : "nowrap muted"}>
          {t.decided[effect](sum)}
        </span>
      ))}
    </span>
  );
}

function Samples({ activity }: { activity: AdmissionActivity }) {
  if (activity.samples.length === 0) return null;
  const c = t.sampleColumns;
  return (
    <section className="panel" aria-labelledby="samples-title">
      <header className="panel-header">
        <h2 id="samples-title">{t.samples}</h2>
      </header>
      <div className="table-scroll" tabIndex={0} role="group" aria-labelledby="samples-title">
        <table className="plain-table">
          <thead>
            <tr>
              <th scope="col">{c.at}</th>
              <th scope="col">{c.effect}</th>
              <th scope="col">{c.object}</th>
              <th scope="col">{c.user}</th>
              <th scope="col">{c.message}</th>
            </tr>
          </thead>
          <tbody>
            {activity.samples.map((sample, row) => (
              <tr key={row}>
                <td>
                  <Time at={sample.at} />
                </td>
                <td className="nowrap">{EFFECTS.find((one) => one === sample.effect) === undefined ? sample.effect : t.effects[sample.effect as (typeof EFFECTS)[number]]}</td>
                <td>
                  {sample.kind} {sample.namespace}/{sample.name}
                  <br />
                  <span className="muted">{sample.cluster}</span>
                </td>
                <td>{sample.user}</td>
                <td className="admission-message">
                  {sample.message}
                  <br />
                  <code className="muted">{sample.recommendation}</code>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
