// Puts a policy in place of the one that is shown, unless somebody changed that meanwhile.

import { useMutation, useQueryClient } from "@tanstack/react-query";

import { admissionStrings as t } from "../admission-strings";
import { api, data } from "../api/client";
import { keys } from "../api/queries";
import type { AdmissionPolicy } from "../api/types";
import type { Policy } from "../lib/admission";
import { notify } from "../lib/messages";

export const putPolicy = (shown: AdmissionPolicy, cluster: string | undefined, policy: Policy) =>
  data(
    api.PUT("/api/v1/admission/policy", {
      body: { cluster: cluster ?? null, policy: policy as Record<string, never>, replaces: shown.digest },
    }),
  );

export function usePolicyChange(shown: AdmissionPolicy, cluster: string | undefined, onDone: () => void) {
  const client = useQueryClient();
  return useMutation({
    meta: { showsError: true },
    mutationFn: (policy: Policy) => putPolicy(shown, cluster, policy),
    onSuccess: () => {
      notify(t.policySaved);
      onDone();
    },
    // Somebody else's change is shown as well.
    onSettled: () => client.invalidateQueries({ queryKey: keys.admission }),
  });
}
