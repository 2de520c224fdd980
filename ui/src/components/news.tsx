// Messages that come and go: heard politely, and some of them seen.

import { useMessages } from "../lib/messages";

export function News() {
  const messages = useMessages();
  return (
    <div className="news" role="status" aria-live="polite">
      {messages.map(({ id, text, isVisible }) => (
        <p key={id} className={isVisible ? "toast" : "visually-hidden"}>
          {text}
        </p>
      ))}
    </div>
  );
}
