// Tells password managers whose password a form is about. They overlook fields of the type `hidden`.

export function UserName({ name }: { name: string }) {
  return (
    <input
      className="visually-hidden"
      name="username"
      autoComplete="username"
      value={name}
      readOnly
      tabIndex={-1}
      aria-hidden="true"
    />
  );
}
