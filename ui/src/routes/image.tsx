// One image: its layers on the left, what is wrong in them on the right, one finding in the pane.

import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";

import { imageQuery } from "../api/queries";
import { useTitle } from "../components/bits";
import { Icon } from "../components/icon";
import { ErrorState, Skeleton } from "../components/states";
import { imageUseStrings } from "../image-use-strings";
import { type ImageSearch } from "../lib/filters";
import { count, shortDigest } from "../lib/format";
import { useHotkeys } from "../lib/hotkeys";
import { total } from "../lib/severity";
import { strings } from "../strings";
import { FindingPane } from "./finding-pane";
import { Findings } from "./image-findings";
import { ImageHeader } from "./image-header";
import { Layers } from "./image-layers";
import { Packages } from "./image-packages";
import { Secrets } from "./image-secrets";
import { Uses } from "./image-uses";
import "./image.css";

const route = getRouteApi("/app/images/$digest");

export function ImagePage() {
  const { digest } = route.useParams();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const { data: image, error, refetch } = useQuery(imageQuery(digest));
  useTitle(image?.references[0] ?? shortDigest(digest));

  const change = (part: ImageSearch) =>
    void navigate({ search: (before) => ({ ...before, ...part }), replace: true, resetScroll: false });
  const openFinding = (finding: string | undefined, packageId: number | undefined) =>
    void navigate({
      search: (before) => ({ ...before, finding, package: packageId }),
      // Walking from finding to finding is one step back, not many.
      replace: search.finding !== undefined,
      resetScroll: false,
    });
  const hasPane = search.finding !== undefined && search.package !== undefined;
  useHotkeys({ Escape: () => void navigate({ to: "/images", search: {} }) }, !hasPane);

  if (error !== null) {
    return (
      <div className="page">
        <Back />
        <ErrorState error={error} retry={() => void refetch()} />
      </div>
    );
  }
  return (
    <div className={hasPane ? "page has-pane" : "page"}>
      <Back />
      {image === undefined ? <Skeleton rows={4} /> : <ImageHeader image={image} />}
      <div className="image-columns">
        <Layers layers={image?.layers} layer={search.layer} onChange={(layer) => change({ layer })} />
        <div className="image-main">
          <nav className="tabs" aria-label={strings.image.tabs}>
            <Link
              to="/images/$digest"
              params={{ digest }}
              search={{ layer: search.layer }}
              className={search.tab === undefined ? "tab is-current" : "tab"}
              aria-current={search.tab === undefined ? "page" : undefined}
              resetScroll={false}
            >
              {strings.image.findings} <span className="tab-count">{image && count(total(image.findings))}</span>
            </Link>
            <Link
              to="/images/$digest"
              params={{ digest }}
              search={{ layer: search.layer, tab: "packages" }}
              className={search.tab === "packages" ? "tab is-current" : "tab"}
              aria-current={search.tab === "packages" ? "page" : undefined}
              resetScroll={false}
            >
              {strings.image.packages} <span className="tab-count">{image && count(image.packages)}</span>
            </Link>
            <Link
              to="/images/$digest"
              params={{ digest }}
              search={{ layer: search.layer, tab: "secrets" }}
              className={search.tab === "secrets" ? "tab is-current" : "tab"}
              aria-current={search.tab === "secrets" ? "page" : undefined}
              resetScroll={false}
            >
              {strings.image.secrets} <span className="tab-count">{image?.secrets != null && count(image.secrets)}</span>
            </Link>
            <Link
              to="/images/$digest"
              params={{ digest }}
              search={{ layer: search.layer, tab: "uses" }}
              className={search.tab === "uses" ? "tab is-current" : "tab"}
              aria-current={search.tab === "uses" ? "page" : undefined}
              resetScroll={false}
            >
              {imageUseStrings.tab}
            </Link>
          </nav>
          {search.tab === "uses" ? (
            <Uses digest={digest} search={search} change={change} />
          ) : search.tab === "secrets" ? (
            <Secrets digest={digest} search={search} change={change} />
          ) : search.tab === "packages" ? (
            <Packages digest={digest} search={search} change={change} />
          ) : (
            <Findings digest={digest} search={search} change={change} open={openFinding} isPartial={(image?.problems ?? 0) > 0} />
          )}
        </div>
      </div>
      {search.finding !== undefined && search.package !== undefined && (
        <FindingPane
          digest={digest}
          id={search.finding}
          packageId={search.package}
          onClose={() => openFinding(undefined, undefined)}
        />
      )}
    </div>
  );
}

function Back() {
  return (
    <Link to="/images" className="back">
      <Icon name="back" />
      {strings.image.back}
    </Link>
  );
}
