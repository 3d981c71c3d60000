// A thin wrapper of ncursesw, signals and terminal probing; no curses type crosses this header.
#pragma once
