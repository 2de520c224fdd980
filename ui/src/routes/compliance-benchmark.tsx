// One benchmark over assets: section by section, control by control; one control in the pane.

import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";

import { assetQuery, complianceQuery } from "../api/estate-queries";
import type { Compliance, ComplianceControl } from "../api/types";
import { ExactTime, Fact, useTitle } from "../components/bits";
import { type Column, DataTable } from "../components/data-table";
import { EnvironmentChoice } from "../components/environment-choice";
import { Choice, TextFilter } from "../components/filter-bar";
import { Icon } from "../components/icon";
import { type ActiveFilter, Empty, ErrorState, FilteredEmpty, Skeleton } from "../components/states";
import { VERDICTS, VerdictBar, verdicts, VerdictWords } from "../components/verdict-counts";
import { estateStrings } from "../estate-strings";
import { toggled } from "../lib/address";
import { apiAddress, type ComplianceSearch } from "../lib/estate-filters";
import { count } from "../lib/format";
import { CONTROL_STATUSES } from "../lib/host-filters";
import { useHotkeys } from "../lib/hotkeys";
import { strings } from "../strings";
import { ControlPane } from "./compliance-control";
import "./estate.css";
import "./hosts.css";
import "./image.css";

const route = getRouteApi("/app/compliance/$benchmark");
const t = estateStrings.compliance;

export function BenchmarkPage() {
  const { benchmark } = route.useParams();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const query = useQuery(complianceQuery(benchmark, search));
  useTitle(query.data?.title ?? t.title);
  const change = (part: ComplianceSearch) =>
    void navigate({ search: (before) => ({ ...before, ...part }), replace: true, resetScroll: false });
  const open = (control: string | undefined) =>
    void navigate({ search: (before) => ({ ...before, control }), replace: search.control !== undefined, resetScroll: false });
  const controls = query.data?.sections.flatMap((section) => section.controls);
  const control = controls?.find(({ id }) => id === search.control);
  useHotkeys({ Escape: () => void navigate({ to: "/compliance" }) }, control === undefined);
  return (
    <div className={control === undefined ? "page" : "page has-pane"}>
      <Link to="/compliance" className="back">
        <Icon name="back" />
        {t.back}
      </Link>
      {query.data === undefined && <h1>{benchmark}</h1>}
      {query.error !== null ? (
        <ErrorState error={query.error} retry={() => void query.refetch()} />
      ) : query.data === undefined ? (
        <Skeleton rows={10} />
      ) : (
        <>
          <Header compliance={query.data} search={search} change={change} />
          {query.data.assets === 0 ? (
            <Empty title={t.empty}>
              <p>{t.emptyHint}</p>
            </Empty>
          ) : null}
          <Controls compliance={query.data} search={search} change={change} open={open} />
        </>
      )}
      {control !== undefined && query.data !== undefined && (
        <ControlPane key={control.id} compliance={query.data} control={control} search={search} onClose={() => open(undefined)} />
      )}
    </div>
  );
}

interface Props {
  compliance: Compliance;
  search: ComplianceSearch;
  change: (part: ComplianceSearch) => void;
}

function Header({ compliance, search, change }: Props) {
  const { benchmark, version } = compliance;
  const { data: asset } = useQuery({ ...assetQuery(Number(search.asset)), enabled: search.asset !== undefined });
  const file = (ending: string) =>
    apiAddress(`/api/v1/compliance/${encodeURIComponent(benchmark)}/${ending}`, {
      version,
      environment: search.environment,
      asset: search.asset,
    });
  return (
    <>
      <div className="page-head">
        <h1>{compliance.title}</h1>
        <div className="page-actions">
          <a className="button" href={file("pdf")} download={`${benchmark}-${version}.pdf`}>
            <Icon name="download" />
            {t.pdf}
          </a>
          <a className="button" href={file("csv")} download={`${benchmark}-${version}.csv`} title={estateStrings.csvHint}>
            <Icon name="download" />
            {estateStrings.csv}
          </a>
        </div>
      </div>
      <div className="filter-bar">
        <Choice
          label={t.edition}
          value={version}
          options={compliance.versions.map((edition) => [edition, edition] as const)}
          onChange={(edition) => change({ version: edition === compliance.versions[0] ? undefined : edition, control: undefined })}
        />
        <EnvironmentChoice value={search.environment} onChange={(environment) => change({ environment })} />
        {search.asset !== undefined && (
          <button type="button" className="chip" aria-pressed="true" title={t.allAssets} onClick={() => change({ asset: undefined })}>
            {t.clearAsset(asset?.name ?? search.asset)}
            <Icon name="close" />
          </button>
        )}
      </div>
      <dl className="facts">
        <Fact name={t.columns.assets}>{t.assetsCompared(compliance.assets)}</Fact>
        {compliance.dated != null && (
          <Fact name={t.dated}>
            <ExactTime at={compliance.dated} />
          </Fact>
        )}
        <Fact name={t.judgedBy}>{compliance.content}</Fact>
        {compliance.assets > 0 && <Fact name={t.columns.result}>{t.passed(compliance.counts.pass, verdicts(compliance.counts))}</Fact>}
      </dl>
      <VerdictBar counts={compliance.counts} />
    </>
  );
}

/** A control, or the head of the section that it begins. */
interface Row {
  key: string;
  control: ComplianceControl;
  section: string;
}

function Controls({ compliance, search, change, open }: Props & { open: (control: string) => void }) {
  const wanted = search.status?.split(",") ?? [];
  const rows: Row[] = compliance.sections.flatMap(({ title, id, controls }) =>
    controls.map((control) => ({ key: control.id, control, section: `${id} ${title}` })),
  );
  const fits = ({ control, section }: Row) => {
    const text = `${control.id} ${control.title} ${section}`.toLowerCase();
    const hasStatus = wanted.length === 0 || wanted.some((status) => control.counts[status as keyof typeof control.counts] > 0);
    return hasStatus && text.includes((search.q ?? "").toLowerCase());
  };
  const shown = rows.filter(fits);
  const active: ActiveFilter[] = [];
  if (search.status !== undefined) active.push({ label: search.status.replaceAll(",", ", "), drop: () => change({ status: undefined }) });
  if (search.q !== undefined) active.push({ label: strings.filters.text(search.q), drop: () => change({ q: undefined }) });
  return (
    <>
      <div className="filter-bar">
        <TextFilter label={t.filter} value={search.q} onChange={(q) => change({ q })} />
        <span className="filter-count" role="status">
          {t.shown(shown.length, rows.length)}
        </span>
      </div>
      <div className="facets">
        <div className="facet-group" role="group" aria-label={t.status}>
          <span className="facet-name" aria-hidden="true">
            {t.status}
          </span>
          {VERDICTS.filter((kind) => compliance.counts[kind] > 0 || wanted.includes(kind)).map((kind) => (
            <button
              key={kind}
              type="button"
              className="chip"
              aria-pressed={wanted.includes(kind)}
              onClick={() => change({ status: toggled(CONTROL_STATUSES, search.status, kind) })}
            >
              {t.statuses[kind]}
              <span className="chip-count">{count(compliance.counts[kind])}</span>
            </button>
          ))}
        </div>
      </div>
      <Sections compliance={compliance} change={change} search={search} />
      {shown.length === 0 ? (
        <FilteredEmpty title={t.filteredEmpty} filters={active} clear={() => change({ q: undefined, status: undefined })} />
      ) : (
        <DataTable
          label={t.title}
          columns={columns(open)}
          rows={shown}
          rowKey={({ key }) => key}
          rowHeight={3.25}
          total={shown.length}
          onOpen={({ key }) => open(key)}
          openKey={search.control}
        />
      )}
    </>
  );
}

/** The sections with their counts; one of them filters the list. */
function Sections({ compliance, search, change }: Props) {
  if (compliance.sections.length < 2) return null;
  return (
    <details className="panel sections">
      <summary>{t.sections}</summary>
      <table className="plain-table">
        <tbody>
          {compliance.sections.map(({ id, title, counts }) => (
            <tr key={id}>
              <td>
                <button
                  type="button"
                  className="link-button"
                  aria-pressed={search.q === `${id} ${title}`}
                  onClick={() => change({ q: search.q === `${id} ${title}` ? undefined : `${id} ${title}` })}
                >
                  {id} {title}
                </button>
              </td>
              <td>
                <VerdictWords counts={counts} />
              </td>
              <td className="sections-bar">
                <VerdictBar counts={counts} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </details>
  );
}

const columns = (open: (control: string) => void): Column<Row>[] => [
  {
    id: "control",
    header: t.controlColumns.control,
    cell: ({ control: { id, title }, section }) => (
      <span className="two-lines">
        <button type="button" className="link-button" data-row-link="" title={title} onClick={() => open(id)}>
          {id} {title}
        </button>
        <span className="muted">{section}</span>
      </span>
    ),
  },
  { id: "level", header: t.controlColumns.level, width: "4.5rem", align: "end", isMinor: true, cell: ({ control }) => control.level },
  {
    id: "result",
    header: t.columns.result,
    width: "22rem",
    cell: ({ control: { counts } }) => (
      <span className="two-lines">
        <VerdictWords counts={counts} />
        <VerdictBar counts={counts} />
      </span>
    ),
  },
];
