"""From any file to a notebook of ours: what was handed in, whose it is, when it came, and what is in it.

In come folders, archives and files that students made, none of them trusted; out go ``Submission`` values and
rebuilt notebooks, with a remark for whatever had to be mended. Nothing is run here, and nothing is known of
sandboxes, scores or gradebooks.
"""
