"""Documents as people have them."""

from __future__ import annotations

HANDBOOK_MD = """\
---
title: Handbook
tags: [hr]
---
# Handbook

Welcome. This handbook says how we work, and is kept by the people team.

## Leave

Everybody has 28 days of leave a year. Up to 5 days can be carried over until the end of March.

### Parental leave

Parents take up to 24 months for each child. Salary is paid for the first 12 weeks.

```python
# not a heading
def days(months):

    return months * 30
```

Offices
-------

| city | opens | seats |
|---|---|---|
| Berlin | 08:30 | 120 |
| Lyon | 09:00 | 40 |

Bring your badge.
"""

HANDBOOK_RST = """\
========
Handbook
========

Welcome. This handbook says how we work.

Leave
=====

Everybody has 28 days of leave a year::

    days = 28

    carried_over = 5

Parental leave
--------------

Parents take up to 24 months.

.. code-block:: python

   def days(months):

       return months * 30

Offices
=======

+--------+-------+
| city   | opens |
+========+=======+
| Berlin | 08:30 |
+--------+-------+

Bring your badge.
"""

HANDBOOK_HTML = """\
<!DOCTYPE html><html><head><title>Handbook &ndash; Acme</title><style>p { color: red }</style>
<script>var x = "<p>not this</p>";</script></head>
<body><nav><a href="/">Home</a> <a href="/x">Imprint</a></nav>
<main>
<h1>Handbook</h1>
<p>Welcome &amp; hello.<br>This <b>hand</b>book says
   how we <code>work</code>.
<h2>Leave</h2>
<ul><li>28 days a year<li><p>5 days carried over</p><ol><li>until <i>March</i></li></ol></ul>
<pre>days = 28

print(days)</pre>
<table><caption>Offices</caption><tr><th>city</th><th>opens</th></tr><tr><td>Berlin</td><td>08:30<br>daily</td></tr></table>
</main>
<footer>Copyright Acme</footer></body></html>
"""

README_600 = "# Tool\n\n" + "\n\n".join(
    f"## {title}\n\n"
    + " ".join(
        f"The {title.lower()} of the tool has rule number {number}, which says that value {number * 7} is taken here."
        for number in range(6)
    )
    for title in ("Installing", "Configuring", "Running", "Output", "Limits", "Support")
)
"""About 600 words."""
