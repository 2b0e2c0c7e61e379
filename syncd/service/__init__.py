"""Running syncd as a service: unit files (systemd) or an agent (launchd), put in place and looked after.

The texts are the files of ``systemd/`` in the project, which can be installed by hand as they are; ``units`` here is a
link to that folder, and the files themselves in an installed package.
"""
