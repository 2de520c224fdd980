// Asks for a new advisory database; events tell when it is there.

import { useMutation } from "@tanstack/react-query";

import { api, done } from "../api/client";
import { strings } from "../strings";
import { notify } from "./messages";

export function useUpdateDatabase() {
  return useMutation({
    mutationFn: () => done(api.POST("/api/v1/database/update")),
    onSuccess: () => notify(strings.settings.database.updating),
  });
}
