"""The page of ``mart-mm ui``: a small server and what the browser runs (needs ``mart-mm[ui]``)."""
